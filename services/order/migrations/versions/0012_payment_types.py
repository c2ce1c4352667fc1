"""orders keep the types of payment that their channel takes"""

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build cannot read a policy that names the types.
min_reader = '0012'


def upgrade() -> None:
    """No row is rewritten: an order without the types is read as one whose channel takes all of them."""


def downgrade() -> None:
    """Orders that were written since cannot be read by an older build."""
