"""The directory's rules of references between rows, and of what its resources can be."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db.invariants import Look, SqlRule, sentence
from libs.identify import folded
from libs.resource.database.invariants import Stored, looking
from libs.sealing import MARK
from services.directory.adapters.db.resources import BUYER, CLIENT, COST_CENTER, GROUP, PROFILE, SELLER, SUPPLIER, USER
from services.directory.adapters.db.tables import ADDRESSES, BUYERS, CLIENT_SECRETS, CLIENTS, SIGNING_KEYS, SUPPLIERS, USERS

_STORED = (
    Stored(SELLER, {"singleton": lambda _: True}),
    Stored(BUYER),
    Stored(SUPPLIER),
    Stored(USER, {"username_key": lambda row: folded(row["username"])}),
    Stored(CLIENT),
    Stored(GROUP),
    Stored(COST_CENTER),
    Stored(PROFILE),
)


def _admits_nobody(dialect: str, name: str, companies: sa.Table) -> sa.Select[Any]:
    """API clients that admit companies that do not exist."""
    column = CLIENTS.c[name]
    each = sa.func.jsonb_array_elements_text(column) if dialect == "postgresql" else sa.func.json_each(column)
    admitted = each.table_valued("value")
    return (
        sa.select(CLIENTS.c.id.label("subject"), sentence(name, " ", admitted.c.value))
        .select_from(CLIENTS.join(admitted, sa.true()))
        .where(~sa.exists().where(companies.c.id == admitted.c.value))
    )


def _without_its_secret() -> sa.Select[Any]:
    """API clients that ask for a secret and have none, or have one and do not ask for it."""
    c = CLIENTS.c
    any_secret = sa.exists().where(CLIENT_SECRETS.c.client_id == c.id)
    wrong = sa.or_(sa.and_(c.has_secret, ~any_secret), sa.and_(~c.has_secret, any_secret))
    return sa.select(c.id.label("subject"), sentence("says ", c.has_secret, " of having secrets")).where(wrong)


def _of_nobody() -> sa.Select[Any]:
    """Addresses of single users who are not in the company."""
    a = ADDRESSES.c
    member = sa.exists().where(USERS.c.id == a.user_id, USERS.c.party == a.party)
    return sa.select(a.id.label("subject"), sentence(a.user_id)).where(a.user_id != "", ~member)


def _lying_open() -> sa.Select[Any]:
    """Private halves of keys that whoever reads the database can use."""
    k = SIGNING_KEYS.c
    return sa.select(k.kid.label("subject"), sentence("is not sealed")).where(
        k.private_pem != "", ~k.private_pem.startswith(MARK)
    )


def _kept_too_long() -> sa.Select[Any]:
    """Ended keys with a private half. Those that retire lose it when the next one is made, if not before."""
    k = SIGNING_KEYS.c
    newest = sa.select(sa.func.max(k.create_time)).correlate(None).scalar_subquery()
    ended = sa.or_(k.withdraw_time.is_not(None), k.retire_time <= newest)
    return sa.select(k.kid.label("subject"), sentence("has ended and has a private half")).where(k.private_pem != "", ended)


@cache
def look(dialect: str) -> Look:
    """Judges all of them."""
    admitted = sa.union_all(_admits_nobody(dialect, "buyer_ids", BUYERS), _admits_nobody(dialect, "supplier_ids", SUPPLIERS))
    rules = (
        SqlRule("client_has_its_companies", admitted, CLIENTS),
        SqlRule("client_has_secret_as_it_says", _without_its_secret(), CLIENTS),
        SqlRule("address_has_its_user", _of_nobody(), ADDRESSES),
        SqlRule("private_half_is_sealed", _lying_open(), SIGNING_KEYS),
        SqlRule("ended_key_has_no_private_half", _kept_too_long(), SIGNING_KEYS),
    )
    return looking("directory", rules, _STORED)
