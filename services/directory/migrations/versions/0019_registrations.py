"""people who register, and messages to them"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build registers nobody.
min_reader = '0018'


def upgrade() -> None:
    op.create_table('registrations',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('username', sa.String(length=100), nullable=False),
    sa.Column('password_hash', sa.String(length=300), nullable=False),
    sa.Column('email', sa.String(length=200), nullable=False),
    sa.Column('first_name', sa.String(length=100), nullable=False),
    sa.Column('last_name', sa.String(length=100), nullable=False),
    sa.Column('phone', sa.String(length=100), nullable=False),
    sa.Column('client_id', sa.String(length=100), nullable=False),
    sa.Column('buyer_id', sa.String(length=100), nullable=False),
    sa.Column('create_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('expire_time', libs.db.types.UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(['buyer_id'], ['buyers.id'], name=op.f('fk_registrations_buyer_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['client_id'], ['api_clients.id'], name=op.f('fk_registrations_client_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_registrations'))
    )
    with op.batch_alter_table('registrations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_registrations_buyer_id'), ['buyer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_registrations_client_id'), ['client_id'], unique=False)
        batch_op.create_index('ix_registrations_email', ['email', 'create_time'], unique=False)
        batch_op.create_index(batch_op.f('ix_registrations_expire_time'), ['expire_time'], unique=False)

    op.create_table('messages',
    sa.Column('id', sa.String(length=100), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('email', sa.String(length=200), nullable=False),
    sa.Column('username', sa.String(length=100), nullable=False),
    sa.Column('first_name', sa.String(length=100), nullable=False),
    sa.Column('client_id', sa.String(length=100), nullable=False),
    sa.Column('token', sa.String(length=100), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('expire_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('create_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('sent_time', libs.db.types.UtcTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages'))
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_messages_create_time'), ['create_time'], unique=False)
        batch_op.create_index('ix_messages_email', ['email', 'create_time'], unique=False)
        batch_op.create_index(batch_op.f('ix_messages_token_hash'), ['token_hash'], unique=False)


def downgrade() -> None:
    op.drop_table('messages')
    op.drop_table('registrations')
