"""tax classes and postal prefixes are kept as they are compared"""

from alembic import op
import sqlalchemy as sa

from libs.identify import folded
from libs.postal import MAX_PREFIX, postal

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0001'


def upgrade() -> None:
    """Folds the texts that a look-up names."""
    rates = sa.table(
        'tax_rates', sa.column('id', sa.String), sa.column('tax_class', sa.String), sa.column('postal_prefix', sa.String)
    )
    c = rates.c
    for row in op.get_bind().execute(sa.select(c.id, c.tax_class, c.postal_prefix)).all():
        now = (folded(row.tax_class)[:100] or 'standard', postal(row.postal_prefix)[:MAX_PREFIX])
        if now != (row.tax_class, row.postal_prefix):
            changed = sa.update(rates).where(c.id == row.id).values(tax_class=now[0], postal_prefix=now[1])
            op.get_bind().execute(changed)


def downgrade() -> None:
    """Nothing to undo: the texts are compared as they are."""
