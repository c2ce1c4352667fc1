"""captures on shipment"""

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build does not know why these captures are asked for.
min_reader = "0019"


def upgrade() -> None:
    """Transactions have a further cause; the tables stay as they are."""


def downgrade() -> None:
    """The tables stay as they are."""
