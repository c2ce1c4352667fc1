"""What ends tokens: changes of clients, companies and security profiles that leave someone with less."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from services.directory.application.ports import DirectoryWork
from services.directory.domain.tokens.grants import ClientAccess


class EndTokens:
    """Raises generations in the transaction of the change. Whoever gets more keeps its token."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def of_changed_client(self, work: DirectoryWork, id: str, new: ClientAccess) -> None:
        """A client admits less than before, or other people."""
        old = await work.client_secrets.access(id)
        if old is not None and old.narrowed(new):
            await work.revocations.client(id, self._clock.now())

    async def of_deleted_client(self, work: DirectoryWork, id: str) -> None:
        """A client goes."""
        await work.revocations.client(id, self._clock.now())

    async def of_changed_company(self, work: DirectoryWork, party: str, active: bool) -> None:
        """A company takes part no longer."""
        if not active and await work.parties.active(party):
            await work.revocations.companies([party], self._clock.now())

    async def of_deleted_company(self, work: DirectoryWork, party: str) -> None:
        """A company goes."""
        await work.revocations.companies([party], self._clock.now())

    async def of_changed_profile(self, work: DirectoryWork, id: str, roles: Sequence[str]) -> None:
        """A profile gives less than before: to companies, to groups and to users."""
        old = (await work.profiles.known([id])).get(id, ())
        if set(old) <= set(roles):
            return
        now, holders = self._clock.now(), await work.profiles.holders(id)
        await work.revocations.companies({each.party for each in holders} - {""}, now)
        await work.revocations.members({each.group_id for each in holders} - {""}, now)
        await work.revocations.users({each.user_id for each in holders} - {""}, now)
