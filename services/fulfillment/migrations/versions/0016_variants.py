"""Variants of products: of the stock of inventory records, of the lines of supplier orders and of the items of shipments."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import PublicId

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0015"

TABLES = ("inventory_records", "supplier_order_lines", "shipment_items")


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("variant_id", PublicId(), server_default="", nullable=False))
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.create_index("ix_inventory_records_product_variant", ["product_id", "variant_id"], unique=False)
        batch_op.drop_index("ix_inventory_records_product_id")


def downgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.create_index("ix_inventory_records_product_id", ["product_id"], unique=False)
        batch_op.drop_index("ix_inventory_records_product_variant")
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("variant_id")
