"""Private halves of keys are stored sealed, and only the key that is not in the database opens them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from libs.auth import TokenSigner
from libs.auth.keys import new_private_key, private_key, public_jwk
from libs.db import Database
from libs.ids import RandomIds
from libs.invariants import Finding
from libs.sealing import SealingKeys, new_key, sealed_by
from services.directory.adapters.db.tables import SIGNING_KEYS
from services.directory.adapters.db.tokens.sealing import SealingKeyMismatch
from services.directory.domain.tokens.signing_keys import LAST_TOKEN
from services.directory.main import bootstrap, build, forget_keys, sealed
from tests.integration.directory.test_keys import LEAD, privates, rotate, token, withdraw
from tests.integration.directory.test_tokens import verifier
from tests.integration.directory.world import World
from tests.support.sealing import SEALING, SEALING_KEY
from tests.support.server import runtime_for, serving

OTHER = new_key()


async def halves(settings):
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        rows = (await tx.execute(sa.select(SIGNING_KEYS.c.kid, SIGNING_KEYS.c.private_pem))).all()
    await database.close()
    return dict(map(tuple, rows))


async def put(settings, *changes):
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.transaction() as tx:
        for change in changes:
            await tx.execute(change)
    await database.close()


def found(keys, asked=None):
    """Finds the keys, and notes what was asked for."""

    def find(wanted):
        if asked is not None:
            asked.append(wanted)
        return SealingKeys.read(keys)

    return find


async def findings(settings, clock):
    app = await build(settings, runtime_for("directory", clock=clock))
    try:
        return {(record.rule, record.subject) async for record in app.inspected() if isinstance(record, Finding)}
    finally:
        await app.close()


async def test_the_first_key_and_each_next_one_are_stored_sealed(world, secret, settings):
    _, first = await token(world, secret)
    new = await rotate(world)
    stored = await halves(settings)
    assert stored.keys() == {first, new.kid}
    for kid, half in stored.items():
        assert sealed_by(half) == SEALING.first
        assert "PRIVATE" not in half
        assert private_key(SEALING.open(half, f"signing key {kid}")).key_size == 2_048


async def test_keys_of_an_older_database_are_sealed_before_anything_is_served_and_go_on_signing(settings, secret, clock):
    kid = next(iter(await halves(settings)))
    pem = new_private_key()
    modulus = public_jwk(private_key(pem).public_key(), kid)["n"]
    await put(settings, sa.update(SIGNING_KEYS).values(private_pem=pem, modulus=modulus))
    assert ("private_half_is_sealed", kid) in await findings(settings, clock)
    asked = []
    after = await sealed(replace(settings, sealing=None), found(SEALING_KEY, asked), clock)
    assert asked == [frozenset()]
    assert SEALING.open((await halves(settings))[kid], f"signing key {kid}") == pem
    async with serving(await build(after, runtime_for("directory", clock=clock))) as served:
        world = World(served, clock)
        issued, by = await token(world, secret)
        assert (by, (await verifier(world).verify(issued)).user_id) == (kid, "owner")
    assert await findings(after, clock) == set()


async def test_of_starts_at_the_same_time_all_find_the_keys_sealed(settings, secret, clock):
    pem = new_private_key()
    await put(settings, sa.update(SIGNING_KEYS).values(private_pem=pem))
    await asyncio.gather(*(sealed(settings, found(SEALING_KEY), clock) for _ in range(3)))
    ((kid, half),) = (await halves(settings)).items()
    assert SEALING.open(half, f"signing key {kid}") == pem


async def test_a_sealing_key_is_followed_by_another(world, settings, secret, clock):
    issued, _ = await token(world, secret)
    await rotate(world)
    before = await halves(settings)
    asked = []
    after = await sealed(settings, found(f"{OTHER}\n{SEALING_KEY}", asked), clock)
    assert asked == [frozenset({SEALING.first})]
    stored = await halves(settings)
    assert {sealed_by(half) for half in stored.values()} == {SealingKeys.read(OTHER).first}
    alone = await sealed(settings, found(OTHER), clock)
    assert await halves(settings) == stored
    for kid, half in stored.items():
        assert SealingKeys.read(OTHER).open(half, f"signing key {kid}") == SEALING.open(before[kid], f"signing key {kid}")
    for keys in (after, alone):
        async with serving(await build(keys, runtime_for("directory", clock=clock))) as served:
            assert (await verifier(World(served, clock)).verify(issued)).user_id == "owner"
            assert (await token(World(served, clock), secret))[1] in stored


async def test_a_key_that_does_not_open_what_is_stored_is_refused_by_both_names_and_nothing_changes(settings, secret, clock):
    before = await halves(settings)
    wrong = SealingKeys.read(OTHER)
    with pytest.raises(SealingKeyMismatch, match=f"sealed by the sealing key {SEALING.first}, and given is {wrong.first}:"):
        await sealed(settings, found(OTHER), clock)
    assert await halves(settings) == before


async def test_a_half_that_was_moved_to_another_key_is_refused(world, secret, settings, clock):
    _, first = await token(world, secret)
    new = await rotate(world)
    moved = (await halves(settings))[new.kid]
    await put(settings, sa.update(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == first).values(private_pem=moved))
    with pytest.raises(SealingKeyMismatch, match=f"signing key {first} has changed since it was sealed"):
        await sealed(settings, found(f"{OTHER}\n{SEALING_KEY}"), clock)
    assert sealed_by((await halves(settings))[new.kid]) == SEALING.first
    # The inspection at the end would not notice: nothing but the key knows.
    await put(settings, sa.delete(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == first))


async def test_a_retired_key_loses_its_private_half_when_the_next_one_is_made(world, secret, settings):
    _, first = await token(world, secret)
    second = await rotate(world)
    world.clock.advance(LEAD + LAST_TOKEN - timedelta(seconds=1))
    third = await rotate(world)
    assert await privates(settings) == {first: True, second.kid: True, third.kid: True}
    world.clock.advance(LEAD)
    fourth = (await withdraw(world, third.kid)).signing_key
    assert await privates(settings) == {first: False, second.kid: True, third.kid: False, fourth.kid: True}


async def test_ended_keys_of_an_older_database_lose_their_private_half_at_the_start(world, secret, settings, clock):
    _, first = await token(world, secret)
    second = await rotate(world)
    world.clock.advance(LEAD + LAST_TOKEN)
    await put(settings, sa.update(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == first).values(private_pem=new_private_key()))
    await sealed(settings, found(SEALING_KEY), clock)
    assert await privates(settings) == {first: False, second.kid: True}


async def test_a_retired_key_loses_its_private_half_in_the_background_too(settings, secret, clock):
    app = await build(settings, runtime_for("directory", clock=clock))
    async with serving(app) as served:
        world = World(served, clock)
        _, first = await token(world, secret)
        second = await rotate(world)
        clock.advance(LEAD + LAST_TOKEN)
        await next(loop for loop in app.background if loop.name == "erase").once()
    assert await privates(settings) == {first: False, second.kid: True}


async def test_the_inspection_finds_an_ended_key_with_a_private_half(world, secret, settings, clock):
    _, first = await token(world, secret)
    half = (await halves(settings))[first]
    await withdraw(world, first)
    await put(settings, sa.update(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == first).values(private_pem=half))
    assert await findings(settings, clock) == {("ended_key_has_no_private_half", first)}
    await put(settings, sa.update(SIGNING_KEYS).where(SIGNING_KEYS.c.kid == first).values(private_pem=""))


async def test_without_the_sealing_key_the_keys_are_dropped_and_the_next_start_makes_one(settings, secret, clock):
    before = await halves(settings)
    assert await forget_keys(settings) == 1
    asked = []
    after = await sealed(settings, found(OTHER, asked), clock)
    assert asked == [frozenset()]
    assert await bootstrap(after, clock, RandomIds()) is None
    stored = await halves(settings)
    assert len(stored) == 1
    assert not stored.keys() & before.keys()
    async with serving(await build(after, runtime_for("directory", clock=clock))) as served:
        assert (await token(World(served, clock), secret))[1] in stored


async def test_whoever_has_the_database_alone_cannot_sign(world, secret, settings):
    """Neither what is stored, nor a key of a thief's own under a known name, makes a token that holds."""
    check = verifier(world)
    issued, kid = await token(world, secret)
    assert (await check.verify(issued)).user_id == "owner"
    half = (await halves(settings))[kid]
    with pytest.raises(ValueError, match="PEM"):
        TokenSigner(half, kid)
