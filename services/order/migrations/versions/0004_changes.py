"""changes of open orders, and what was canceled of an order"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0001'

AMOUNTS = ('subtotal', 'discount', 'shipping_cost', 'tax', 'total')


def upgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        for name in AMOUNTS:
            batch_op.add_column(sa.Column(f'canceled_{name}', libs.db.types.Micros(), server_default='0', nullable=False))
    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=20), server_default='SUBMIT', nullable=False))
        batch_op.add_column(sa.Column('outcome', sa.String(length=20), server_default='', nullable=False))
        batch_op.add_column(sa.Column('change', libs.db.types.Json(), nullable=True))
    # Until now an order that had been submitted was canceled whole or not at all.
    sets = ', '.join(f'canceled_{name} = {name}' for name in AMOUNTS)
    op.execute(sa.text(f"UPDATE orders SET {sets} WHERE kind = 'BUYER' AND status = 'CANCELED' AND is_submitted"))
    op.execute(sa.text("UPDATE submissions SET outcome = 'OPENED' WHERE state = 'ACCEPTED'"))


def downgrade() -> None:
    with op.batch_alter_table('submissions', schema=None) as batch_op:
        for name in ('change', 'outcome', 'kind'):
            batch_op.drop_column(name)
    with op.batch_alter_table('orders', schema=None) as batch_op:
        for name in AMOUNTS:
            batch_op.drop_column(f'canceled_{name}')
