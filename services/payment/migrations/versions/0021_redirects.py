"""payments that wait for their buyers"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build would void what a refused attempt is to leave
# for the next one.
min_reader = "0021"


def upgrade() -> None:
    op.create_table(
        "payment_redirects",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("order_key", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.String(length=100), nullable=False),
        sa.Column("gateway_key", sa.String(length=300), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("credit_card_id", sa.String(length=100), nullable=False),
        sa.Column("amount", libs.db.types.Micros(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("return_url", sa.String(length=2000), nullable=False),
        sa.Column("url", sa.String(length=4000), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("gateway_reference", sa.String(length=200), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("expire_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("authorization_expire_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("ask_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure", sa.String(length=200), nullable=True),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_redirects")),
        sa.UniqueConstraint("gateway_key", name=op.f("uq_payment_redirects_gateway_key")),
    )
    with op.batch_alter_table("payment_redirects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_redirects_order_key"), ["order_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_redirects_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_redirects_ask_time"), ["ask_time"], unique=False)
    with op.batch_alter_table("test_gateway_operations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("return_url", sa.String(length=2000), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("test_gateway_operations", schema=None) as batch_op:
        batch_op.drop_column("return_url")
    op.drop_table("payment_redirects")
