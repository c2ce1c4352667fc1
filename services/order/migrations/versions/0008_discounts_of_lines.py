"""lines show what their discount is the sum of"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('line_items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('discounts', libs.db.types.Json(), server_default='[]', nullable=False))
    # Until now every discount was one that a person had set by hand.
    made = "'[[\"override\", ' || discount || ']]'"
    if op.get_bind().dialect.name == 'postgresql':
        made = f'CAST({made} AS JSONB)'
    op.execute(sa.text(f'UPDATE line_items SET discounts = {made} WHERE discount > 0'))


def downgrade() -> None:
    with op.batch_alter_table('line_items', schema=None) as batch_op:
        batch_op.drop_column('discounts')
