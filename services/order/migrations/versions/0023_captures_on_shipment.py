"""captures on shipment"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build does not know what a policy says of capture.
min_reader = "0023"


def upgrade() -> None:
    op.create_table(
        "shipped_captures",
        sa.Column("order_key", sa.Uuid(), nullable=False),
        sa.Column("value", libs.db.types.Micros(), nullable=False),
        sa.Column("most", libs.db.types.Micros(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("begin_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("next_action_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name=op.f("fk_shipped_captures_order_key")),
        sa.PrimaryKeyConstraint("order_key", name=op.f("pk_shipped_captures")),
    )
    with op.batch_alter_table("shipped_captures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipped_captures_next_action_time"), ["next_action_time"], unique=False)


def downgrade() -> None:
    op.drop_table("shipped_captures")
