"""deleted ids"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0013'


def upgrade() -> None:
    op.create_table('deleted_ids',
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('id', sa.String(length=260), nullable=False),
    sa.Column('delete_time', libs.db.types.UtcTime(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'id', name=op.f('pk_deleted_ids'))
    )
    with op.batch_alter_table('deleted_ids', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_deleted_ids_delete_time'), ['delete_time'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('deleted_ids', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_deleted_ids_delete_time'))

    op.drop_table('deleted_ids')
