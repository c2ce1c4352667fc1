"""units of lines that wait for stock, and when they are expected"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would take a report at its version without what waits.
min_reader = "0027"


def upgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("quantity_backordered", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("expected_time", libs.db.types.UtcTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.drop_column("expected_time")
        batch_op.drop_column("quantity_backordered")
