"""what suppliers are paid for their supplier orders"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would show suppliers the sell side of what has a cost.
min_reader = "0022"


def upgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost", libs.db.types.Micros(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("cost")
