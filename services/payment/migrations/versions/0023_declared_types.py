"""types of payment that the marketplace declares"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build would take payments of declared types for promises,
# which are taken when their orders are confirmed.
min_reader = "0023"
BUILT_IN = "('credit_card', 'spending_account', 'purchase_order')"


def upgrade() -> None:
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("external", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("payment_transactions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recorded_by", sa.String(length=100), server_default="", nullable=False))
        batch_op.add_column(sa.Column("occur_time", libs.db.types.UtcTime(), nullable=True))
    # Of carts, they are judged by what is declared; those of submitted orders stay the promises that they were taken for.
    op.execute(f"UPDATE payments SET external = true WHERE state = 'OPEN' AND type NOT IN {BUILT_IN}")
    op.create_table(
        "payment_types",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("acceptance", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("restricted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_types")),
    )
    op.create_table(
        "payment_type_assignments",
        sa.Column("payment_type_id", sa.String(length=100), nullable=False),
        sa.Column("buyer_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("user_group_id", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_type_id"], ["payment_types.id"], name=op.f("fk_payment_type_assignments_payment_type_id_payment_types")
        ),
        sa.PrimaryKeyConstraint(
            "payment_type_id", "buyer_id", "user_id", "user_group_id", name=op.f("pk_payment_type_assignments")
        ),
    )
    op.create_index(op.f("ix_payment_types_create_time"), "payment_types", ["create_time"])
    with op.batch_alter_table("payment_type_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_type_assignments_buyer_id"), ["buyer_id"], unique=False)


def downgrade() -> None:
    op.drop_table("payment_type_assignments")
    op.drop_table("payment_types")
    with op.batch_alter_table("payment_transactions", schema=None) as batch_op:
        batch_op.drop_column("occur_time")
        batch_op.drop_column("recorded_by")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_column("external")
