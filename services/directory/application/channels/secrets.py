"""CreateSecret, RotateSecret, ListSecrets, EndSecret: how a program proves that it is the API client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, missing, precondition
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from services.directory.application.channels.api_clients import own_roles
from services.directory.application.ports import DirectoryWork, Secrets, Units
from services.directory.domain.access import commands
from services.directory.domain.tokens.client_secrets import MAX_SECRETS, ClientSecret, check_end, clue_of
from waybill.directory.v1 import reasons


class ClientSecretUseCases:
    """What an administrator does with the secrets of a client."""

    def __init__(self, units: Units, secrets: Secrets, clock: Clock, ids: IdSource) -> None:
        self._units = units
        self._secrets = secrets
        self._clock = clock
        self._ids = ids

    async def create(
        self, caller: Principal, client_id: str, name: str, end_time: datetime | None, request: RequestKey | None
    ) -> tuple[str, ClientSecret]:
        """One more secret, and what is known of it. Raises TOO_MANY_SECRETS, and `SECRET_SHOWN_ONCE` for a repeat: no secret is
        recorded with its request, and an empty answer could be taken for one."""
        now = self._clock.now()
        _require_end("end_time", end_time, now)
        secret, made = await self._made(name, end_time, now)

        async def do(work: DirectoryWork) -> None:
            others = await self._claimed(work, caller, client_id, request, now)
            _require_room(client_id, others, now)
            await work.client_secrets.add(client_id, made, now)
            if not others:
                await work.revocations.client(client_id, now)

        await self._units.retrying(do)
        return secret, made

    async def rotate(
        self, caller: Principal, client_id: str, name: str, others_end: datetime | None, request: RequestKey | None
    ) -> tuple[str, ClientSecret]:
        """A secret that takes the place of the others, now or at a time. Raises as `create` does."""
        now = self._clock.now()
        _require_end("others_end_time", others_end, now)
        secret, made = await self._made(name, None, now)

        async def do(work: DirectoryWork) -> None:
            others = await self._claimed(work, caller, client_id, request, now)
            if others_end is not None:
                _require_room(client_id, others, now)
            await replace_others(work, client_id, others, made, others_end, now)

        await self._units.retrying(do)
        return secret, made

    async def list(self, client_id: str) -> Sequence[ClientSecret]:
        """All that are kept, oldest first."""
        async with self._units.reading() as work:
            if await work.client_secrets.access(client_id) is None:
                raise missing("API client", client_id)
            return await work.client_secrets.every(client_id)

    async def end(self, client_id: str, secret_id: str, request: RequestKey | None) -> None:
        """Ends one now, and the client's tokens. Raises NOT_FOUND."""
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            if await work.client_secrets.limits(client_id) is None:
                raise missing("API client", client_id)
            found = {each.id: each for each in await work.client_secrets.every(client_id)}.get(secret_id)
            if found is None:
                raise missing("secret", secret_id)
            if found.holds(now):
                await work.client_secrets.end(client_id, [secret_id], now)
                await work.client_secrets.note_change(client_id, now)
                await work.revocations.client(client_id, now)

        await self._units.retrying(do)

    async def _made(self, name: str, end_time: datetime | None, now: datetime) -> tuple[str, ClientSecret]:
        secret = self._secrets.new()
        hashed = await self._secrets.hash(secret)
        return secret, ClientSecret(self._ids.public("sec"), name, clue_of(secret), hashed, now, end_time)

    async def _claimed(
        self, work: DirectoryWork, caller: Principal, client_id: str, request: RequestKey | None, now: datetime
    ) -> Sequence[ClientSecret]:
        """The client's secrets, for a caller who may command it; nobody else changes them until the transaction ends."""
        if await work.requests.claim(request, {}, now) is not None:
            text = "the request has made a secret, which cannot be shown again: make another one under another request id"
            raise precondition(reasons.SECRET_SHOWN_ONCE, text, api_client=client_id)
        limits = await work.client_secrets.limits(client_id)
        if limits is None:
            raise missing("API client", client_id)
        user_id, most = limits
        user = (await work.users.known([user_id])).get(user_id) if user_id else None
        found = Violations()
        commands(found, "api_client_id", caller, own_roles(user, most))
        found.raise_if_any()
        return await work.client_secrets.every(client_id)


async def replace_others(
    work: DirectoryWork,
    client_id: str,
    others: Sequence[ClientSecret],
    made: ClientSecret,
    others_end: datetime | None,
    now: datetime,
) -> None:
    """Stores a secret in the place of others, which end now, and the client's tokens with them, or later."""
    if holding := [each.id for each in others if each.holds(now)]:
        await work.client_secrets.end(client_id, holding, others_end or now)
    await work.client_secrets.add(client_id, made, now)
    if others_end is None or not others:
        await work.revocations.client(client_id, now)


def _require_end(field: str, end_time: datetime | None, now: datetime) -> None:
    found = Violations()
    check_end(found, field, end_time, now)
    found.raise_if_any()


def _require_room(client_id: str, others: Sequence[ClientSecret], now: datetime) -> None:
    if sum(each.holds(now) for each in others) >= MAX_SECRETS:
        text = f"{MAX_SECRETS} secrets of API client {client_id} hold: end one first"
        raise precondition(reasons.TOO_MANY_SECRETS, text, api_client=client_id, limit=str(MAX_SECRETS))
