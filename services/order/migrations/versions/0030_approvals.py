"""rounds of approvals, and what attempts have to do with them"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
# An older build would open what waits for an approval.
min_reader = "0030"

PENDING = sa.text("status = 'PENDING'")


def upgrade() -> None:
    op.add_column("submissions", sa.Column("approval", libs.db.types.Json(), nullable=True))
    op.create_table(
        "approval_rounds",
        sa.Column("order_key", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("groups", libs.db.types.Json(), nullable=False),
        sa.Column("rules", libs.db.types.Json(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("begin_time", libs.db.types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name=op.f("fk_approval_rounds_order_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_key", "number", name=op.f("pk_approval_rounds")),
    )
    op.create_table(
        "approvals",
        sa.Column("order_key", sa.Uuid(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.String(length=100), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("auto", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(length=1000), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("complete_time", libs.db.types.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name=op.f("fk_approvals_order_key"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_key", "round", "rule_id", name=op.f("pk_approvals")),
    )
    op.create_index(
        "ix_approvals_pending",
        "approvals",
        ["group_id", "create_time", "order_key"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )


def downgrade() -> None:
    op.drop_table("approvals")
    op.drop_table("approval_rounds")
    op.drop_column("submissions", "approval")
