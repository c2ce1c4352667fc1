"""Stars in filters on both databases: the same texts fit as in Python, and a beginning is found through an index."""

from __future__ import annotations

import sqlalchemy as sa
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from libs.db import metadata
from libs.query import Field, Listing, PageRequest
from libs.query.wildcards import fits
from tests.integration.libs.tables import created
from tests.unit.libs.test_wildcards import compared, fitting

CASES = 400


def cases() -> list[tuple[tuple[str, ...], str]]:
    """Patterns and texts, the same in every run."""
    found: list[tuple[tuple[str, ...], str]] = []

    @seed(7)
    @settings(max_examples=CASES, database=None)
    @given(st.lists(compared(), min_size=1, max_size=1))
    def draw(one):
        found.extend(one)

    draw()
    return found


async def test_a_text_fits_a_pattern_as_it_does_in_python(databases, tmp_path):
    drawn = cases()
    async with created(*await databases("fits"), metadata(), tmp_path) as db, db.reading() as tx:
        wrong = []
        for start in range(0, len(drawn), 50):
            part = drawn[start : start + 50]
            conditions = [
                fits(db.dialect, sa.literal(text, sa.String()), pattern).label(f"c{i}") for i, (pattern, text) in enumerate(part)
            ]
            answers = (await tx.execute(sa.select(*conditions))).one()
            wrong += [case for case, answer in zip(part, answers, strict=True) if bool(answer) != fitting(*case)]

    assert wrong == []
    assert 0 < sum(fitting(*case) for case in drawn) < len(drawn)


async def test_what_begins_with_a_prefix_is_found_through_an_index(databases, backend, tmp_path):
    tables = metadata()
    # By bytes on both: PostgreSQL finds a range in LIKE with this collation only.
    by_bytes = sa.String(100, collation="C" if backend == "postgresql" else None)
    table = sa.Table("named", tables, sa.Column("id", by_bytes, primary_key=True), sa.Column("note", sa.String(100)))
    listing = Listing({"id": Field(table.c.id)}, table.c.id, default_order="id")
    async with created(*await databases("named"), tables, tmp_path) as db:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(table), [{"id": f"PO-{n:05}", "note": "x" * 90} for n in range(5_000)])
            await tx.execute(sa.text("ANALYZE"))
        statement = listing.plan(db.dialect, PageRequest(filter='id = "PO-0012*"')).apply(sa.select(table))
        async with db.reading() as tx:
            found = (await tx.execute(statement)).all()
            text = str(await tx.run_sync(lambda c: statement.compile(c, compile_kwargs={"literal_binds": True})))
            explain = "EXPLAIN" if backend == "postgresql" else "EXPLAIN QUERY PLAN"
            how = await tx.execute(sa.text(f"{explain} {text}".replace(":", "\\:")))
            shown = "\n".join(str(tuple(row)) for row in how.all())

    assert [row.id for row in found] == [f"PO-0012{n}" for n in range(10)]
    if backend == "sqlite":
        assert "id>? AND id<?" in shown
    else:
        assert "Index Cond" in shown
