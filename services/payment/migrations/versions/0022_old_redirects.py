"""an index over what is over of payments that waited for their buyers"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0021"


def upgrade() -> None:
    with op.batch_alter_table("payment_redirects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_redirects_state_update_time"), ["state", "update_time"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("payment_redirects", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_redirects_state_update_time"))
