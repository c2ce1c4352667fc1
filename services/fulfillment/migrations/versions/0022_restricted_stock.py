"""Buyers and groups that inventory records are for."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import Json

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would sell to anyone what is kept for some.
min_reader = "0022"

COLUMNS = ("buyer_ids", "user_group_ids")


def upgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.add_column(sa.Column(name, Json(), server_default="[]", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        for name in COLUMNS:
            batch_op.drop_column(name)
