"""addresses of groups of users"""

from alembic import op
import sqlalchemy as sa

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would take what is assigned to a group for an assignment to the whole company.
min_reader = '0010'
KEY = ['party', 'address_id', 'user_id']


def upgrade() -> None:
    with op.batch_alter_table('address_assignments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('user_group_id', sa.String(length=100), server_default='', nullable=False))
        batch_op.drop_constraint('pk_address_assignments', type_='primary')
        batch_op.create_primary_key('pk_address_assignments', [*KEY, 'user_group_id'])
        batch_op.create_index(batch_op.f('ix_address_assignments_user_group_id'), ['user_group_id'], unique=False)


def downgrade() -> None:
    op.execute("DELETE FROM address_assignments WHERE user_group_id <> ''")
    with op.batch_alter_table('address_assignments', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_address_assignments_user_group_id'))
        batch_op.drop_constraint('pk_address_assignments', type_='primary')
        batch_op.drop_column('user_group_id')
        batch_op.create_primary_key('pk_address_assignments', KEY)
