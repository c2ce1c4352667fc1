"""how the price of a line came about, and what a buyer says of a line"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TEXTS = (("cost_center", 100), ("shipping_account", 100), ("comments", 2_000))


def upgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("line_mark_up", sa.BigInteger(), server_default="0", nullable=False))
        # What was calculated before shows no steps until it is calculated again.
        batch_op.add_column(sa.Column("price_steps", libs.db.types.Json(), server_default="[]", nullable=False))
        for name, length in _TEXTS:
            batch_op.add_column(sa.Column(name, sa.String(length), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        for name, _ in _TEXTS:
            batch_op.drop_column(name)
        batch_op.drop_column("price_steps")
        batch_op.drop_column("line_mark_up")
