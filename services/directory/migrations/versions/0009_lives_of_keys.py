"""keys are published, sign, verify, retire and are withdrawn; those without times go, and the next start makes one"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build would sign with a withdrawn key.
min_reader = '0009'


def upgrade() -> None:
    op.get_bind().exec_driver_sql('DELETE FROM signing_keys')
    with op.batch_alter_table('signing_keys', schema=None) as batch_op:
        batch_op.add_column(sa.Column('modulus', sa.String(length=400), nullable=False))
        batch_op.add_column(sa.Column('sign_time', libs.db.types.UtcTime(), nullable=False))
        batch_op.add_column(sa.Column('withdraw_time', libs.db.types.UtcTime(), nullable=True))


def downgrade() -> None:
    op.get_bind().exec_driver_sql('DELETE FROM signing_keys WHERE withdraw_time IS NOT NULL')
    with op.batch_alter_table('signing_keys', schema=None) as batch_op:
        batch_op.drop_column('withdraw_time')
        batch_op.drop_column('sign_time')
        batch_op.drop_column('modulus')
