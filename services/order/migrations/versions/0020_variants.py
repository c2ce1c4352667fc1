"""what a line has chosen of its product"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("variant_id", sa.String(100), server_default="", nullable=False))
        batch_op.add_column(sa.Column("choices", libs.db.types.Json(), server_default="[]", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.drop_column("choices")
        batch_op.drop_column("variant_id")
