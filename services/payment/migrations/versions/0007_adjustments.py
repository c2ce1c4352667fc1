"""why balances of spending accounts change without a payment"""

from alembic import op
import sqlalchemy as sa

from libs.db.types import Micros, UtcTime

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A build that does not note a cause cannot write.
min_reader = '0007'


def upgrade() -> None:
    op.create_table(
        'spending_account_adjustments',
        sa.Column('id', sa.String(length=100), nullable=False),
        sa.Column('spending_account_id', sa.String(length=100), nullable=False),
        sa.Column('amount', Micros(), nullable=False),
        sa.Column('currency', sa.String(length=3), nullable=False),
        sa.Column('description', sa.String(length=200), nullable=False),
        sa.Column('user_id', sa.String(length=100), nullable=False),
        sa.Column('request_id', sa.String(length=100), nullable=False),
        sa.Column('create_time', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_spending_account_adjustments')),
    )
    # Who asked for what there is was not noted. The name of an account begins with seventeen characters that say what it is.
    op.execute(
        'INSERT INTO spending_account_adjustments '
        '(id, spending_account_id, amount, currency, description, user_id, request_id, create_time) '
        "SELECT transaction_id, substr(account, 18), amount, currency, description, '', '', entry_time FROM ledger_entries "
        "WHERE payment_id = '' AND account LIKE 'spending_account%'"
    )


def downgrade() -> None:
    op.drop_table('spending_account_adjustments')
