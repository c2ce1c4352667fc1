"""Register, ConfirmRegistration: who registers is answered alike, whether the name is free or not; the rest goes by e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.clock import Clock
from libs.errors import Kind, WaybillError, invalid, precondition
from libs.idempotency.key import RequestKey
from libs.identify import folded
from libs.ids import IdSource
from services.directory.application.people.registration_limits import RegistrationThrottle
from services.directory.application.ports import Accounts, DirectoryWork, Secrets, Units
from services.directory.application.tokens.issue_token import require_served
from services.directory.application.tokens.refresh_tokens import digest_of
from services.directory.application.tokens.throttle import Origin
from services.directory.domain.people.registrations import CONFIRMATION, NAME_TAKEN, Applicant, Message, Registration
from services.directory.domain.tokens.client_secrets import candidate
from services.directory.domain.tokens.grants import Client
from waybill.directory.v1 import reasons


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody has filled in, and through which client."""

    client_id: str
    client_secret: str
    applicant: Applicant
    password: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What registrations are kept and confirmed with."""

    units: Units
    secrets: Secrets
    clock: Clock
    ids: IdSource


class KeepRegistration:
    """Leaves a registration that waits, and a message about it."""

    def __init__(self, desk: Desk, waits: timedelta) -> None:
        """`waits` is how long a registration can be confirmed."""
        self._units, self._secrets, self._clock, self._ids = desk.units, desk.secrets, desk.clock, desk.ids
        self._waits = waits

    async def buyer_of(self, client: Client | None) -> str:
        """The buyer that people register into through a client; empty where it takes nobody."""
        async with self._units.reading() as work:
            return await _open_buyer(work, client)

    async def __call__(
        self, applicant: Applicant, hashed: str, client_id: str, buyer_id: str, request: RequestKey | None
    ) -> None:
        """The same statements whether the name is free or taken: only what the message says differs."""
        now, token = self._clock.now(), self._secrets.new()
        registration = Registration(applicant, hashed, client_id, buyer_id, now, now + self._waits)
        message_id, digest = self._ids.public("msg"), digest_of(token)

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            taken = bool(await work.users.names({folded(applicant.username)}))
            await work.registrations.add(digest, registration)
            message = Message(
                id=message_id,
                kind=NAME_TAKEN if taken else CONFIRMATION,
                email=applicant.email,
                username=applicant.username,
                first_name=applicant.first_name,
                client_id=client_id,
                token="" if taken else token,
                expire_time=registration.expire_time,
                create_time=now,
            )
            await work.messages.add(message, digest)

        await self._units.retrying(do)


class Register:
    """Register."""

    def __init__(
        self, accounts: Accounts, secrets: Secrets, throttle: RegistrationThrottle, keep: KeepRegistration, clock: Clock
    ) -> None:
        self._clock = clock
        self._accounts = accounts
        self._secrets = secrets
        self._throttle = throttle
        self._keep = keep

    async def __call__(self, form: Form, request: RequestKey | None, origin: Origin) -> None:
        """Raises REGISTRATION_CLOSED, GRANT_INVALID, ORIGIN_NOT_ALLOWED and TOO_MANY_ATTEMPTS."""
        await self._throttle.come_from(origin)
        client = await self._accounts.client(form.client_id)
        buyer_id = await self._keep.buyer_of(client)
        if client is None or not buyer_id:
            raise _closed()
        await self._require_secret(client, form.client_secret, origin)
        require_served(client, origin.page)
        await self._throttle.go_to(form.applicant.email, client.id)
        # Hashed and stored for a name that is taken, too: what it costs does not depend on it.
        hashed = await self._secrets.hash(form.password, origin.counted)
        await self._keep(form.applicant, hashed, client.id, buyer_id, request)

    async def _require_secret(self, client: Client, secret: str, origin: Origin) -> None:
        if not client.secrets:
            return
        found = candidate(client.secrets, secret, self._clock.now())
        if not secret or not await self._secrets.verify(found.secret_hash if found else None, secret, origin.counted):
            raise WaybillError(Kind.UNAUTHENTICATED, reasons.GRANT_INVALID, "the secret of the client does not hold")


class ConfirmRegistration:
    """ConfirmRegistration."""

    def __init__(self, desk: Desk, accounts: Accounts, throttle: RegistrationThrottle) -> None:
        self._units, self._secrets, self._clock, self._ids = desk.units, desk.secrets, desk.clock, desk.ids
        self._accounts = accounts
        self._throttle = throttle

    async def __call__(self, token: str, password: str, method: str, origin: Origin) -> str:
        """The user that was made, or was before by this token. Raises REGISTRATION_TOKEN_INVALID, USERNAME_TAKEN,
        REGISTRATION_CLOSED and TOO_MANY_ATTEMPTS.

        The token came by mail and the password by the form: whoever has both has filled in the form and reads the mail. A
        stranger who registers with the address of another gets no user that the other confirms by a slip.
        """
        await self._throttle.check_tokens(origin)
        digest = digest_of(token)
        key = RequestKey("", digest, method, "token", digest)
        user_id, now = self._ids.public("usr"), self._clock.now()
        hashed = await self._hash_of(digest)
        held = await self._secrets.verify(hashed, password, origin.counted)

        async def do(work: DirectoryWork) -> str:
            recorded = await work.requests.claim(key, {"ids": [user_id]}, now)
            if recorded is not None:
                return str(recorded["ids"][0])
            one = await work.registrations.find(digest)
            if one is None or not one.waits(now) or not held:
                text = "stands for no registration that waits, or the password is another one"
                raise invalid("token", reasons.REGISTRATION_TOKEN_INVALID, text)
            if await _open_buyer(work, await self._accounts.client(one.client_id)) != one.buyer_id:
                raise _closed()
            if await work.users.names({folded(one.applicant.username)}):
                raise invalid("token", reasons.USERNAME_TAKEN, "the user name was taken meanwhile")
            await work.registrations.become(digest, one, user_id, now)
            await work.messages.spend(digest)
            work.trail.note("user", user_id, now, action="ConfirmRegistration")
            return user_id

        try:
            return await self._units.retrying(do)
        except WaybillError as error:
            if error.reason == reasons.REGISTRATION_TOKEN_INVALID:
                await self._throttle.wrong_token(origin)
            raise

    async def _hash_of(self, digest: str) -> str | None:
        """Of the password that was registered with; what verifies it costs as much where there is none."""
        async with self._units.reading() as work:
            one = await work.registrations.look(digest)
        return None if one is None else one.password_hash


async def _open_buyer(work: DirectoryWork, client: Client | None) -> str:
    """The buyer that people register into through a client; empty where it takes nobody."""
    buyer_id = client.registration_buyer_id if client is not None and client.active else ""
    return buyer_id if buyer_id and await work.parties.active(f"BUYER:{buyer_id}") else ""


def _closed() -> WaybillError:
    return precondition(reasons.REGISTRATION_CLOSED, "nobody registers through this API client")
