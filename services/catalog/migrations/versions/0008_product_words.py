"""the words that products are found by"""

import re
import unicodedata

from alembic import op
import sqlalchemy as sa

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would store products that no search finds.
min_reader = "0008"
PART = 5_000


def _words(text):
    """As it was when this revision was made."""
    if text.isascii():
        return re.findall(r"[a-z0-9]+", text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded).split()


def upgrade() -> None:
    word = sa.String(length=50).with_variant(sa.String(length=50, collation="C"), "postgresql")
    words = op.create_table(
        "product_words",
        sa.Column("word", word, nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_words_product_id_products")),
        sa.PrimaryKeyConstraint("word", "product_id", name=op.f("pk_product_words")),
    )
    op.create_index("ix_product_words_product_id", "product_words", ["product_id"])
    c = sa.table("products", *(sa.column(name, sa.String) for name in ("id", "name", "description"))).c
    some, last = sa.select(c.id, c.name, c.description).order_by(c.id).limit(PART), ""
    while rows := op.get_bind().execute(some.where(c.id > last)).all():
        last = rows[-1].id
        found = [{"word": w, "product_id": row.id} for row in rows for w in sorted({w[:50] for text in row for w in _words(text)})]
        if found:
            op.get_bind().execute(sa.insert(words), found)


def downgrade() -> None:
    op.drop_table("product_words")
