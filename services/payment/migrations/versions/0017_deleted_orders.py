"""orders that are gone"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0014"


def upgrade() -> None:
    with op.batch_alter_table("payment_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("delete_time", libs.db.types.UtcTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_payment_orders_delete_time"), ["delete_time"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("payment_orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_orders_delete_time"))
        batch_op.drop_column("delete_time")
