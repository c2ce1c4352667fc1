"""units of accounts"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An earlier one would free and give back money where units are held.
min_reader = "0018"

_UNITS = ("spending_accounts", "spending_account_adjustments", "ledger_entries")


def _widen(length: int, was: int) -> None:
    for name in _UNITS:
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.alter_column("currency", existing_type=sa.String(was), type_=sa.String(length), existing_nullable=False)


def upgrade() -> None:
    _widen(20, 3)
    micros = libs.db.types.Micros()
    with op.batch_alter_table("spending_accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unit_digits", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("rate", micros, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("order_currency", sa.String(length=3), server_default="", nullable=False))
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unit", sa.String(length=20), server_default="", nullable=False))
        batch_op.add_column(sa.Column("unit_digits", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("rate", micros, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("debited_units", micros, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("refunded_units", micros, server_default="0", nullable=False))
    with op.batch_alter_table("payment_transactions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("units", micros, server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("payment_transactions", schema=None) as batch_op:
        batch_op.drop_column("units")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        for name in ("refunded_units", "debited_units", "rate", "unit_digits", "unit"):
            batch_op.drop_column(name)
    with op.batch_alter_table("spending_accounts", schema=None) as batch_op:
        for name in ("order_currency", "rate", "unit_digits"):
            batch_op.drop_column(name)
    _widen(3, 20)
