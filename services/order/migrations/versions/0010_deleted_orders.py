"""deleted orders"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0010"


def upgrade() -> None:
    op.create_table(
        "deleted_ids",
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("id", sa.String(length=260), nullable=False),
        sa.Column("delete_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_deleted_ids")),
    )
    with op.batch_alter_table("deleted_ids", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deleted_ids_delete_time"), ["delete_time"], unique=False)
    op.create_table(
        "deleted_orders",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("buyer_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("delete_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("body", libs.db.types.Json(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_deleted_orders")),
    )
    with op.batch_alter_table("deleted_orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deleted_orders_id"), ["id"], unique=False)


def downgrade() -> None:
    op.drop_table("deleted_orders")
    op.drop_table("deleted_ids")
