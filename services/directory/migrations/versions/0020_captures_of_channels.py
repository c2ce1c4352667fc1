"""when channels charge cards"""

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build does not know what its policies say.
min_reader = "0020"


def upgrade() -> None:
    """Policies may say when cards are charged. Those that say nothing go on as they were: when a person asks for it."""


def downgrade() -> None:
    """The tables stay as they are."""
