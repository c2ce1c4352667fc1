"""What is read of spending accounts and cards that are assigned to many."""

from __future__ import annotations

from typing import Any

import pytest

from libs.db import Tx
from services.payment.adapters.db.means.means_store import SqlMeansStore
from services.payment.adapters.db.tables import ACCOUNT_ASSIGNMENTS, CARD_ASSIGNMENTS
from services.payment.domain.means.means import Payer
from tests.integration.payment.test_means_of_groups import assign, of_account, of_card
from tests.integration.payment.world import World


async def test_only_what_is_assigned_to_the_payer_is_read_of_an_account_and_a_card(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.account("forge", 100, user="nobodys")
    await world.card("tok_approve", user="")
    others = ["smiths", *(f"u{i:04}" for i in range(400))]
    await assign(world, *(of_account("forge", user=id) for id in others), *(of_account("forge", group=id) for id in others))
    await assign(world, *(of_card("tok_approve", user=id) for id in others), *(of_card("tok_approve", group=id) for id in others))
    await assign(world, of_account("forge"), of_account("forge", user="anna", exceed=True))
    await assign(world, of_card("tok_approve", user="anna"))
    read, answered = Tx.execute, list[int]()

    async def noted(tx: Tx, statement: Any, parameters: Any = None) -> Any:
        found = await read(tx, statement, parameters)
        if statement.get_final_froms()[0] not in (ACCOUNT_ASSIGNMENTS, CARD_ASSIGNMENTS):
            return found
        rows = found.all()
        answered.append(len(rows))
        return rows

    async with world.database.reading() as tx:
        store, payer = SqlMeansStore(tx), Payer(["anna"], ["smiths", "u0007", "none"])
        with monkeypatch.context() as patched:
            patched.setattr(Tx, "execute", noted)
            account = (await store.accounts(["forge"], payer))["forge"]
            card = (await store.cards(["tok_approve"], payer))["tok_approve"]
            bare = (await store.accounts(["forge"]))["forge"]
    assert (account.users, account.groups) == ({"": False, "anna": True}, {"smiths": False, "u0007": False})
    assert (sorted(card.users), sorted(card.groups)) == (["anna"], ["smiths", "u0007"])
    assert answered == [4, 3]
    assert (bare.users, bare.groups) == ({}, {})
