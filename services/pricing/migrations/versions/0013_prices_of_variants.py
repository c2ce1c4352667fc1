"""prices of variants"""

from alembic import op
import sqlalchemy as sa

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would write assignments without a variant, by a key that is none any more.
min_reader = "0013"
_KEY = ["product_id", "buyer_id", "user_group_id"]


def upgrade() -> None:
    with op.batch_alter_table("price_assignments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("variant_id", sa.String(length=100), server_default="", nullable=False))
        batch_op.drop_constraint("pk_price_assignments", type_="primary")
        batch_op.create_primary_key("pk_price_assignments", [*_KEY, "variant_id"])


def downgrade() -> None:
    op.execute("DELETE FROM price_assignments WHERE variant_id <> ''")
    with op.batch_alter_table("price_assignments", schema=None) as batch_op:
        batch_op.drop_constraint("pk_price_assignments", type_="primary")
        batch_op.drop_column("variant_id")
        batch_op.create_primary_key("pk_price_assignments", _KEY)
