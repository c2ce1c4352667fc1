"""user names are compared in Unicode form NFKC"""

from alembic import op
import sqlalchemy as sa

from libs.identify import folded

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0001'


def upgrade() -> None:
    """Folds the stored names anew.

    Where two users have had one name in two spellings, the older one keeps it; the other signs in again when the
    seller has given it another name.
    """
    users = sa.table(
        'users',
        sa.column('id', sa.String),
        sa.column('username', sa.String),
        sa.column('username_key', sa.String),
        sa.column('create_time'),
    )
    c = users.c
    rows = op.get_bind().execute(sa.select(c.id, c.username, c.username_key).order_by(c.create_time, c.id)).all()
    taken = {row.username_key for row in rows}
    for row in rows:
        key = folded(row.username)
        if row.username_key is None or key == row.username_key or key in taken or len(key) > 300:
            continue
        taken.add(key)
        op.get_bind().execute(sa.update(users).where(c.id == row.id).values(username_key=key))


def downgrade() -> None:
    """The names stay folded: whoever folds less finds those that are typed as they are stored."""
