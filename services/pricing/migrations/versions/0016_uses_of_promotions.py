"""which orders use which promotions, and how many do"""

from alembic import op
import sqlalchemy as sa

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0013"


def upgrade() -> None:
    op.create_table(
        "redemptions",
        sa.Column("order_key", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("promotion_id", sa.String(length=100), nullable=False),
        sa.Column("user_key", sa.String(length=201), nullable=False),
        sa.PrimaryKeyConstraint("order_key", "attempt", "promotion_id", name=op.f("pk_redemptions")),
    )
    op.create_table(
        "promotion_uses",
        sa.Column("promotion_id", sa.String(length=100), nullable=False),
        sa.Column("user_key", sa.String(length=201), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "user_key", name=op.f("pk_promotion_uses")),
    )


def downgrade() -> None:
    op.drop_table("promotion_uses")
    op.drop_table("redemptions")
