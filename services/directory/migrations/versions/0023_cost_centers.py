"""cost centers of buyers, and who may use them"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would let a user go and leave what is assigned to it behind.
min_reader = "0023"


def upgrade() -> None:
    op.create_table(
        "cost_centers",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("buyer_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_centers")),
    )
    with op.batch_alter_table("cost_centers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cost_centers_buyer_id"), ["buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cost_centers_create_time"), ["create_time"], unique=False)
    op.create_table(
        "cost_center_assignments",
        sa.Column("cost_center_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("user_group_id", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("cost_center_id", "user_id", "user_group_id", name=op.f("pk_cost_center_assignments")),
    )
    with op.batch_alter_table("cost_center_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cost_center_assignments_user_id"), ["user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cost_center_assignments_user_group_id"), ["user_group_id"], unique=False)


def downgrade() -> None:
    op.drop_table("cost_center_assignments")
    op.drop_table("cost_centers")
