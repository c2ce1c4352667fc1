"""refresh tokens, and how long those of an API client hold"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build gives no refresh tokens, and those that there are
# end with their users and clients by the keys of the table.
min_reader = '0011'


def upgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.add_column(sa.Column('refresh_token_minutes', sa.BigInteger(), server_default='0', nullable=False))

    op.create_table('refresh_tokens',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.String(length=100), nullable=False),
    sa.Column('client_id', sa.String(length=100), nullable=False),
    sa.Column('roles', libs.db.types.Json(), nullable=False),
    sa.Column('user_generation', sa.BigInteger(), nullable=False),
    sa.Column('client_generation', sa.BigInteger(), nullable=False),
    sa.Column('company_generation', sa.BigInteger(), nullable=False),
    sa.Column('create_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('expire_time', libs.db.types.UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['api_clients.id'], name=op.f('fk_refresh_tokens_client_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_refresh_tokens_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_refresh_tokens'))
    )
    with op.batch_alter_table('refresh_tokens', schema=None) as batch_op:
        batch_op.create_index('ix_refresh_tokens_client_id', ['client_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_refresh_tokens_expire_time'), ['expire_time'], unique=False)
        batch_op.create_index('ix_refresh_tokens_user_id', ['user_id', 'client_id', 'create_time'], unique=False)


def downgrade() -> None:
    op.drop_table('refresh_tokens')
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.drop_column('refresh_token_minutes')
