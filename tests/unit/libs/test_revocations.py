"""What a process knows of revocations."""

from __future__ import annotations

import pytest

from libs.auth import Generations
from libs.auth.revocations import LONGEST, Revocation, RevocationPage, Revocations
from libs.errors import Kind, WaybillError
from tests.support.principals import buyer

ADA = buyer(user="ada")


class Directory:
    """Answers with pages that were prepared."""

    def __init__(self, *pages: RevocationPage) -> None:
        self.pages = list(pages)
        self.asked: list[int] = []
        self.time = 1_000.0
        self.known = Revocations(self.fetch, lambda: self.time)

    async def fetch(self, after: int) -> RevocationPage:
        self.asked.append(after)
        if not self.pages:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "no answer")
        return self.pages.pop(0)

    def revoked(self, user: int = 0, client: int = 0, company: int = 0) -> bool:
        return self.known.revoked(ADA, Generations(user, client, company))


def raised(kind: str, id: str, generation: int, time: float = 1_000.0) -> Revocation:
    return Revocation((kind, id), generation, time)


@pytest.mark.parametrize(
    ("kind", "id", "better"),
    [("USER", ADA.user_id, {"user": 3}), ("CLIENT", ADA.client_id, {"client": 3}), ("BUYER", ADA.party_id, {"company": 3})],
)
async def test_a_token_of_a_lower_generation_is_revoked_and_no_other(kind: str, id: str, better: dict[str, int]) -> None:
    directory = Directory(RevocationPage([raised(kind, id, 3), raised("USER", "somebody-else", 9)], 2))
    assert not directory.revoked()
    assert await directory.known.load()
    assert directory.revoked()
    assert directory.revoked(**dict.fromkeys(better, 2))
    assert not directory.revoked(**better)


async def test_pages_are_read_to_the_last_and_the_next_look_goes_on_there() -> None:
    first = RevocationPage([raised("USER", "a", 1)], 5, more=True)
    directory = Directory(first, RevocationPage([raised("USER", "b", 1)], 9), RevocationPage([], 9))
    assert not directory.known.loaded
    assert await directory.known.load()
    assert directory.known.loaded
    assert not await directory.known.load()
    assert directory.asked == [0, 5, 9]


async def test_what_was_last_read_holds_while_nobody_answers() -> None:
    directory = Directory(RevocationPage([raised("USER", ADA.user_id, 1)], 1))
    await directory.known.load()
    with pytest.raises(WaybillError):
        await directory.known.load()
    assert directory.revoked()


async def test_a_process_that_was_never_answered_has_loaded_nothing() -> None:
    directory = Directory()
    with pytest.raises(WaybillError):
        await directory.known.load()
    assert not directory.known.loaded


async def test_after_a_restore_only_what_the_directory_has_now_holds() -> None:
    directory = Directory(RevocationPage([raised("USER", ADA.user_id, 7)], 90))
    await directory.known.load()
    directory.pages = [RevocationPage([raised("USER", "b", 1)], 3, restart=True)]
    assert await directory.known.load()
    assert not directory.revoked()
    assert len(directory.known) == 1


async def test_what_no_token_is_old_enough_for_is_forgotten() -> None:
    directory = Directory(RevocationPage([raised("USER", ADA.user_id, 1)], 1), RevocationPage([], 1))
    await directory.known.load()
    directory.time += LONGEST + 1
    await directory.known.load()
    assert len(directory.known) == 0
