"""which addresses inventory records were given"""

from alembic import op
import sqlalchemy as sa

from libs.db.types import Json, UtcTime

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A build that does not note an address cannot write.
min_reader = '0010'


def upgrade() -> None:
    op.create_table(
        'stock_addresses',
        sa.Column('record_key', sa.Uuid(), nullable=False),
        sa.Column('version', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('address', Json(), nullable=True),
        sa.Column('create_time', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('record_key', 'version', name=op.f('pk_stock_addresses')),
    )
    op.execute(
        'INSERT INTO stock_addresses (record_key, version, address, create_time) '
        'SELECT key, 1, address, create_time FROM inventory_records'
    )


def downgrade() -> None:
    op.drop_table('stock_addresses')
