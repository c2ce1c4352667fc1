"""ChangePassword."""

from __future__ import annotations

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, WaybillError, invalid, missing
from libs.idempotency.key import RequestKey
from services.directory.application.people.users import check_password
from services.directory.application.ports import Accounts, DirectoryWork, Secrets, Units
from services.directory.application.tokens.throttle import Origin, Throttle, attempt_of
from waybill.directory.v1 import reasons


class ChangePassword:
    """A user's own password, by whoever knows the old one. It ends all of the user's tokens."""

    def __init__(self, units: Units, accounts: Accounts, secrets: Secrets, clock: Clock, throttle: Throttle) -> None:
        """`throttle` is that of sign-ins: who guesses here is held off there."""
        self._units = units
        self._accounts = accounts
        self._secrets = secrets
        self._clock = clock
        self._throttle = throttle

    async def __call__(self, caller: Principal, old: str, new: str, request: RequestKey | None, origin: Origin) -> None:
        """Raises PASSWORD_WRONG and TOO_MANY_ATTEMPTS. A repeat changes nothing, whatever the password is by then."""
        found = Violations()
        found.require("old_password", bool(old), reasons.FIELD_REQUIRED, "is required")
        check_password(found, "new_password", new, required=True)
        found.raise_if_any()
        user = await self._accounts.user(user_id=caller.user_id)
        if user is None:
            raise missing("user", caller.user_id)
        attempt = attempt_of(user.username, origin)
        await self._throttle.check(attempt)
        proven = await self._secrets.verify(user.password_hash, old, origin.counted)
        hashed = ""
        if proven:
            await self._throttle.check(attempt)
            hashed = await self._secrets.hash(new)
        try:
            await self._store(user.id, user.password_hash if proven else None, hashed, request)
        except WaybillError as error:
            if error.reason == reasons.PASSWORD_WRONG:
                await self._throttle.failed(attempt, f"user {user.id}")
            raise

    async def _store(self, user_id: str, former: str | None, hashed: str, request: RequestKey | None) -> None:
        """`former` is the hash that the old password was proven by."""
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            if former is None or not await work.users.change_password(user_id, former, hashed, now):
                raise invalid("old_password", reasons.PASSWORD_WRONG, "is not the password")
            await work.revocations.users([user_id], now)

        await self._units.retrying(do)
