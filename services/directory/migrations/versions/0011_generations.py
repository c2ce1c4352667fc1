"""generations of users, API clients and companies, and what was taken away from them"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build would take roles away without a revocation.
min_reader = '0011'

TABLES = ('sellers', 'buyers', 'suppliers', 'users', 'api_clients')


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('generation', sa.BigInteger(), server_default='0', nullable=False))

    op.create_table('revocations',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('subject_id', sa.String(length=100), nullable=False),
    sa.Column('generation', sa.BigInteger(), nullable=False),
    sa.Column('time', libs.db.types.UtcTime(), nullable=False),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_revocations')),
    sqlite_autoincrement=True
    )


def downgrade() -> None:
    op.drop_table('revocations')
    for table in reversed(TABLES):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('generation')
