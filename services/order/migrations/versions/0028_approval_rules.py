"""rules of buyers that say which orders somebody has to approve"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0027"


def upgrade() -> None:
    op.create_table(
        "approval_rules",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("buyer_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("approving_group_id", sa.String(length=100), nullable=False),
        sa.Column("expression", sa.String(length=400), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_rules")),
    )
    with op.batch_alter_table("approval_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_rules_approving_group_id"), ["approving_group_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_rules_buyer_id"), ["buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_rules_create_time"), ["create_time"], unique=False)


def downgrade() -> None:
    op.drop_table("approval_rules")
