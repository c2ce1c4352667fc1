"""What was chosen of a product: for the lines of supplier orders."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import Json

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0015"


def upgrade() -> None:
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("specs", Json(), server_default="[]", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        batch_op.drop_column("specs")
