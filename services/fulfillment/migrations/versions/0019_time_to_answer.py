"""How long suppliers have to answer, and what none of them took."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import UtcTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0015"

UNANSWERED = sa.text("status = 'OPEN' AND accept_by IS NOT NULL")
UNCLAIMED = sa.text("unclaimed")


def upgrade() -> None:
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("accept_within", sa.Integer(), nullable=True))
    with op.batch_alter_table("supplier_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("accept_by", UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("unclaimed", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(
            "ix_supplier_orders_unanswered", ["accept_by"], sqlite_where=UNANSWERED, postgresql_where=UNANSWERED
        )
        batch_op.create_index("ix_supplier_orders_unclaimed", ["key"], sqlite_where=UNCLAIMED, postgresql_where=UNCLAIMED)


def downgrade() -> None:
    with op.batch_alter_table("supplier_orders", schema=None) as batch_op:
        batch_op.drop_index("ix_supplier_orders_unclaimed")
        batch_op.drop_index("ix_supplier_orders_unanswered")
        batch_op.drop_column("unclaimed")
        batch_op.drop_column("accept_by")
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.drop_column("accept_within")
