"""suppliers that may set prices"""

from alembic import op
import sqlalchemy as sa

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0010"


def upgrade() -> None:
    with op.batch_alter_table("supplier_permissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("may_set_prices", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("supplier_permissions", schema=None) as batch_op:
        batch_op.drop_column("may_set_prices")
