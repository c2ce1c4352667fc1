"""an index that lists by id are read from"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0008"


def upgrade() -> None:
    # On SQLite the primary key compares by bytes already.
    if op.get_bind().dialect.name == "postgresql":
        op.execute('CREATE INDEX ix_products_id_bytes ON products (id COLLATE "C")')


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_products_id_bytes", "products")
