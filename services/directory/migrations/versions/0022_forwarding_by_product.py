"""channels that forward by product"""

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build does not know what its policies say.
min_reader = "0022"


def upgrade() -> None:
    """Policies may say that products decide whether they are forwarded. Those that there are say what they said."""


def downgrade() -> None:
    """The tables stay as they are."""
