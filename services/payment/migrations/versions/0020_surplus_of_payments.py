"""surplus of payments"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0018"


def upgrade() -> None:
    # Until now no payment was of more than its order needed.
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("surplus", libs.db.types.Micros(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_column("surplus")
