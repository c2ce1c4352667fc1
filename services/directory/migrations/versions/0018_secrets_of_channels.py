"""several secrets of an api client"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build looks for the secret in the client's row.
min_reader = '0018'


def upgrade() -> None:
    op.create_table('client_secrets',
    sa.Column('client_id', sa.String(length=100), nullable=False),
    sa.Column('id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('clue', sa.String(length=16), nullable=False),
    sa.Column('secret_hash', sa.String(length=300), nullable=False),
    sa.Column('create_time', libs.db.types.UtcTime(), nullable=False),
    sa.Column('end_time', libs.db.types.UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['api_clients.id'], name=op.f('fk_client_secrets_client_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('client_id', 'id', name=op.f('pk_client_secrets'))
    )
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.add_column(sa.Column('has_secret', sa.Boolean(), server_default=sa.false(), nullable=False))
    kept = op.get_bind().exec_driver_sql(
        "SELECT id, secret_hash, create_time FROM api_clients WHERE secret_hash IS NOT NULL"
    ).all()
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.drop_column('secret_hash')
    secrets, clients = _tables()
    for id, secret_hash, create_time in kept:
        # Its digest was not kept: without a clue it is tried where no other one fits.
        values = {'client_id': id, 'id': 'first', 'name': '', 'clue': '', 'secret_hash': secret_hash}
        op.execute(secrets.insert().values(**values, create_time=create_time))
        op.execute(clients.update().where(clients.c.id == id).values(has_secret=True))


def downgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.add_column(sa.Column('secret_hash', sa.String(length=300), nullable=True))
    # One of them; a client whose last one has ended keeps it, since without any it would be open to everybody.
    op.execute('UPDATE api_clients SET secret_hash = (SELECT MAX(secret_hash) FROM client_secrets WHERE client_id = api_clients.id)')
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.drop_column('has_secret')
    op.drop_table('client_secrets')


def _tables() -> tuple[sa.TableClause, sa.TableClause]:
    names = ('client_id', 'id', 'name', 'clue', 'secret_hash', 'create_time')
    secrets = sa.table('client_secrets', *(sa.column(name) for name in names))
    return secrets, sa.table('api_clients', sa.column('id'), sa.column('has_secret'))
