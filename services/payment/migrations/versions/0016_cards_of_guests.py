"""cards of guests"""

from alembic import op
import sqlalchemy as sa

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0014"


def upgrade() -> None:
    with op.batch_alter_table("credit_cards", schema=None) as batch_op:
        batch_op.add_column(sa.Column("order_id", sa.String(length=100), server_default="", nullable=False))
        batch_op.create_index(batch_op.f("ix_credit_cards_order_id"), ["order_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("credit_cards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_cards_order_id"))
        batch_op.drop_column("order_id")
