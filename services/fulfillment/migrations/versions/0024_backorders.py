"""How far records may be sold beyond their stock, and when more is expected."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import UtcTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would sell beyond the limit, and let units leave that have not come in.
min_reader = "0024"


def upgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("backorder_limit", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("expected_time", UtcTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.drop_column("expected_time")
        batch_op.drop_column("backorder_limit")
