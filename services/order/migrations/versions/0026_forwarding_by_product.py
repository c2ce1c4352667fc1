"""lines that remember whether their products are forwarded by themselves"""

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build does not know what lines remember of their
# products, and what policies say of forwarding.
min_reader = "0026"


def upgrade() -> None:
    """What lines remember may say whether their products are forwarded. Those that say nothing are forwarded."""


def downgrade() -> None:
    """The tables stay as they are."""
