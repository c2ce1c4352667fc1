"""The threads that compute hashes, and who may wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from libs.errors import Kind, WaybillError
from services.directory.adapters.passwords import Argon2, threads_for


class Held:
    """Stands in for the computation: each runs until it is let go, and it counts how many do at the same time."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def verify(self, hashed: str, secret: str) -> bool:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(10)
        with self._lock:
            self.running -= 1
        return hashed == secret


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    made = Held()
    monkeypatch.setattr("argon2.PasswordHasher.verify", lambda self, hashed, secret: made.verify(hashed, secret))
    yield made
    made.go.set()


async def begun(argon2: Argon2, count: int, source: str = "") -> list[asyncio.Task[bool]]:
    tasks = [asyncio.create_task(argon2.verify("x", "x", source)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def refused(argon2: Argon2, source: str) -> str:
    with pytest.raises(WaybillError) as error:
        await argon2.verify("x", "x", source)
    assert (error.value.kind, error.value.reason) == (Kind.EXHAUSTED, "TOO_MANY_ATTEMPTS")
    assert error.value.retry_after is not None
    return error.value.metadata["limit"]


async def test_only_so_many_are_computed_at_the_same_time_and_only_so_many_wait(held: Held) -> None:
    argon2 = Argon2(1, 8, threads=2, queue=6)
    tasks = await begun(argon2, 8)
    assert await refused(argon2, "203.0.113.9") == "process"
    held.go.set()
    assert all(await asyncio.gather(*tasks))
    assert held.most == 2
    assert await argon2.verify("x", "x", "203.0.113.9")
    argon2.close()


async def test_one_source_has_a_quarter_and_leaves_room_for_others(held: Held) -> None:
    argon2 = Argon2(1, 8, threads=2, queue=6)
    tasks = await begun(argon2, 2, "203.0.113.9")
    assert await refused(argon2, "203.0.113.9") == "source"
    tasks += await begun(argon2, 2, "198.51.100.1")
    # Who comes through a proxy that says nothing is many.
    tasks += await begun(argon2, 4)
    held.go.set()
    assert all(await asyncio.gather(*tasks))
    argon2.close()


async def test_a_check_that_is_given_up_leaves_its_place(held: Held) -> None:
    argon2 = Argon2(1, 8, threads=1, queue=3)
    tasks = await begun(argon2, 4)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    held.go.set()
    assert await argon2.verify("x", "x")
    argon2.close()


async def test_a_hash_holds_for_its_secret_alone() -> None:
    argon2 = Argon2(1, 8)
    made = await argon2.hash("open sesame")
    assert [await argon2.verify(made, "open sesame"), await argon2.verify(made, "guess"), await argon2.verify(None, "")] == [
        True,
        False,
        False,
    ]
    argon2.close()


def test_one_core_is_left_for_everything_else() -> None:
    assert [threads_for(cores) for cores in (1, 2, 8)] == [1, 1, 7]
