"""what is counted of attempts to sign in"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build counts by itself.
min_reader = '0011'


def upgrade() -> None:
    op.create_table('sign_ins',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('end_time', libs.db.types.UtcTime(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_sign_ins'))
    )
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_ins_end_time'), ['end_time'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_ins_end_time'))
    op.drop_table('sign_ins')
