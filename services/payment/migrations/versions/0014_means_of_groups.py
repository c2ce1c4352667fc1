"""spending accounts and cards of groups of users"""

from alembic import op
import sqlalchemy as sa

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would take what is assigned to a group for an assignment to the whole company.
min_reader = "0014"
NAME, KEY = "spending_account_assignments", ["spending_account_id", "user_id"]


def upgrade() -> None:
    with op.batch_alter_table(NAME, schema=None) as batch_op:
        batch_op.add_column(sa.Column("user_group_id", sa.String(length=100), server_default="", nullable=False))
        batch_op.drop_constraint("pk_spending_account_assignments", type_="primary")
        batch_op.create_primary_key("pk_spending_account_assignments", [*KEY, "user_group_id"])
        batch_op.create_index(batch_op.f("ix_spending_account_assignments_user_group_id"), ["user_group_id"], unique=False)
    with op.batch_alter_table("credit_cards", schema=None) as batch_op:
        batch_op.add_column(sa.Column("restricted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "credit_card_assignments",
        sa.Column("credit_card_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("user_group_id", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_card_id"], ["credit_cards.id"], name=op.f("fk_credit_card_assignments_credit_card_id_credit_cards")
        ),
        sa.PrimaryKeyConstraint("credit_card_id", "user_id", "user_group_id", name=op.f("pk_credit_card_assignments")),
    )
    with op.batch_alter_table("credit_card_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_card_assignments_user_group_id"), ["user_group_id"], unique=False)


def downgrade() -> None:
    op.drop_table("credit_card_assignments")
    with op.batch_alter_table("credit_cards", schema=None) as batch_op:
        batch_op.drop_column("restricted")
    op.execute("DELETE FROM spending_account_assignments WHERE user_group_id <> ''")
    with op.batch_alter_table(NAME, schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spending_account_assignments_user_group_id"))
        batch_op.drop_constraint("pk_spending_account_assignments", type_="primary")
        batch_op.drop_column("user_group_id")
        batch_op.create_primary_key("pk_spending_account_assignments", KEY)
