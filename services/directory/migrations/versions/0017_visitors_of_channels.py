"""origins of web pages, visitors and who registers"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build asks for no origin.
min_reader = '0017'


def upgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.add_column(sa.Column('allowed_origins', libs.db.types.Json(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('anonymous_user_id', sa.String(length=100), server_default='', nullable=False))
        batch_op.add_column(sa.Column('anonymous_token_minutes', sa.BigInteger(), server_default='10080', nullable=False))
        batch_op.add_column(sa.Column('registration_buyer_id', sa.String(length=100), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('api_clients', schema=None) as batch_op:
        batch_op.drop_column('registration_buyer_id')
        batch_op.drop_column('anonymous_token_minutes')
        batch_op.drop_column('anonymous_user_id')
        batch_op.drop_column('allowed_origins')
