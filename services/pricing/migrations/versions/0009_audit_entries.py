"""audit entries"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0008"


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("method", sa.String(length=120), nullable=False),
        sa.Column("resource", sa.String(length=60), nullable=False),
        sa.Column("resource_id", sa.String(length=400), nullable=False),
        sa.Column("fields", libs.db.types.Json(), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("party", sa.String(length=120), nullable=False),
        sa.Column("impersonator_id", sa.String(length=100), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("request_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_time", ["time", "id"], unique=False)
        batch_op.create_index("ix_audit_entries_user", ["user_id", "time"], unique=False)
        batch_op.create_index("ix_audit_entries_resource", ["resource", "resource_id", "time"], unique=False)


def downgrade() -> None:
    op.drop_table("audit_entries")
