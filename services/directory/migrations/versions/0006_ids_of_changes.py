"""room for the ids of assignments in the feed of changes, which are made of several"""

from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only widens names no newer one.
min_reader = '0005'


def _resize(before: int, after: int) -> None:
    bind = op.get_bind()
    counted = None
    if bind.dialect.name == 'sqlite':
        counted = bind.execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")).scalar()
    with op.batch_alter_table('changes', schema=None, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.alter_column(
            'resource_id', existing_type=sa.String(length=before), type_=sa.String(length=after), existing_nullable=False
        )
    if counted is not None:
        # The table was made anew, and counts from its newest row: ids of rows that were forgotten may not come again.
        bind.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'changes'"))
        bind.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', :seq)"), {'seq': counted})


def upgrade() -> None:
    _resize(220, 400)


def downgrade() -> None:
    _resize(400, 220)
