"""room for the ids of assignments in the feed of changes, which are made of several"""

from libs.db.resizing import resize

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only widens names no newer one.
min_reader = '0005'


def upgrade() -> None:
    resize('changes', 'resource_id', 220, 400)


def downgrade() -> None:
    resize('changes', 'resource_id', 400, 220)
