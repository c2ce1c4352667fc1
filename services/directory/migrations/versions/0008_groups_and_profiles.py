"""user groups, security profiles, and the roles that a channel asks for"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would let a user go and leave its memberships behind.
min_reader = '0008'


def upgrade() -> None:
    op.create_table('user_groups',
    sa.Column('id', sa.String(length=100), nullable=False),
    sa.Column('party', sa.String(length=120), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('description', sa.String(length=2000), nullable=False),
    sa.Column('xp', libs.db.types.Json(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('create_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('update_time', libs.db.types.UtcTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_groups'))
    )
    with op.batch_alter_table('user_groups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_groups_create_time'), ['create_time'], unique=False)
        batch_op.create_index(batch_op.f('ix_user_groups_party'), ['party'], unique=False)

    op.create_table('user_group_members',
    sa.Column('user_group_id', sa.String(length=100), nullable=False),
    sa.Column('user_id', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('user_group_id', 'user_id', name=op.f('pk_user_group_members'))
    )
    with op.batch_alter_table('user_group_members', schema=None) as batch_op:
        batch_op.create_index('ix_user_group_members_user_id', ['user_id', 'user_group_id'], unique=False)

    op.create_table('security_profiles',
    sa.Column('id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('roles', libs.db.types.Json(), nullable=False),
    sa.Column('xp', libs.db.types.Json(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('create_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('update_time', libs.db.types.UtcTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_security_profiles'))
    )
    with op.batch_alter_table('security_profiles', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_security_profiles_create_time'), ['create_time'], unique=False)

    op.create_table('security_profile_assignments',
    sa.Column('security_profile_id', sa.String(length=100), nullable=False),
    sa.Column('party', sa.String(length=120), nullable=False),
    sa.Column('user_group_id', sa.String(length=100), nullable=False),
    sa.Column('user_id', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('security_profile_id', 'party', 'user_group_id', 'user_id', name=op.f('pk_security_profile_assignments'))
    )
    with op.batch_alter_table('security_profile_assignments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_security_profile_assignments_party'), ['party'], unique=False)
        batch_op.create_index(batch_op.f('ix_security_profile_assignments_user_group_id'), ['user_group_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_security_profile_assignments_user_id'), ['user_id'], unique=False)

    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.add_column(sa.Column('minimum_roles', libs.db.types.Json(), server_default='[]', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.drop_column('minimum_roles')

    op.drop_table('security_profile_assignments')
    op.drop_table('security_profiles')
    op.drop_table('user_group_members')
    op.drop_table('user_groups')
