"""the stages that choose locations, where a channel names them"""

import sqlalchemy as sa
from alembic import op

import libs.db.types

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build would source units again by the default
# strategy.
min_reader = "0025"


def upgrade() -> None:
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stages", libs.db.types.Json(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.drop_column("stages")
