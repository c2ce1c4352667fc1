"""Keys of tokens that are changed under load: nobody notices a rotation, and a withdrawal ends the tokens of a key everywhere."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

import grpc
import jwt

from tests.support.fleet import Fleet, Member
from tests.support.process import said
from waybill.changes.v1 import change_service_pb2, change_service_pb2_grpc
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc
from waybill_client.errors import from_rpc_error

LEAD, REFRESH = 4, 2
"""Seconds that a new key is published before it signs, and that a process may go without asking for keys."""
ENVIRONMENT = {"WAYBILL_DIRECTORY_KEY_LEAD": str(LEAD), "WAYBILL_KEY_REFRESH": str(REFRESH)}
WITHIN = 5.0
"""Seconds after which every process refuses the tokens of a withdrawn key."""
PAUSE = 0.25
TRIES = 30
"""How often a command is given while the directory is killed again and again."""
Metadata = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Rotation:
    """Callers with tokens of the former key and of the newest one, who ask every process again and again."""

    fleet: Fleet
    answers: Counter[str] = field(default_factory=Counter)
    """OK, the word for no answer, or the reason of a refusal."""
    refused: list[str] = field(default_factory=list)
    """Whoever was turned away although its token was good."""
    former: str = ""
    """The key that signed when it began."""
    over: bool = False
    _tokens: dict[str, Metadata] = field(default_factory=dict)
    """By the key that has signed it."""

    async def run(self, after: float) -> None:
        """Rotates once, so many seconds from now, and asks until `over`."""
        await self._sign_in()
        (self.former,) = self._tokens
        rotation = asyncio.create_task(self._rotate(after))
        asking = [asyncio.create_task(self._ask(member)) for member in self.fleet.members]
        while not self.over:
            await asyncio.sleep(1.0)
            await self._sign_in()
        await asyncio.gather(rotation, *asking)

    async def withdraw(self) -> float:
        """Withdraws the former key: the seconds until no process took a token of it. Whoever held one signs in anew."""
        await self._command("withdraw", self.former)
        began = time.monotonic()
        last = self._tokens[self.former]
        waiting = [asyncio.create_task(self._until_refused(member, last)) for member in self.fleet.members]
        await asyncio.gather(*waiting)
        taken = time.monotonic() - began
        for member in self.fleet.members:
            await self._sign_in()
            answer = await self._answer(member, self._tokens[max(self._tokens, key=lambda kid: kid != self.former)])
            if answer != "OK":
                self.refused.append(f"{member.name}: {answer} for a token of the key that signs now")
        return taken

    @property
    def seen(self) -> set[str]:
        """The keys of which tokens were held."""
        return set(self._tokens)

    async def _rotate(self, after: float) -> None:
        await asyncio.sleep(after)
        await self._command("rotate")

    async def _command(self, *words: str) -> None:
        """A command of the owner, to one replica of the directory after the other while it is down."""
        failed = ""
        for number in itertools.count():
            server = self.fleet.of("directory")[number % len(self.fleet.of("directory"))].address
            environment = {"WAYBILL_SERVER": server, "WAYBILL_CLIENT_SECRET": self.fleet.client_secret}
            code, output, errors = await said("keys", *words, environment=environment)
            if not code:
                return
            failed = f"waybill keys {' '.join(words)}: {output} {errors}"
            if number >= TRIES:
                break
            await asyncio.sleep(1.0)
        raise AssertionError(failed)

    async def _ask(self, member: Member) -> None:
        while not self.over:
            for kid, metadata in list(self._tokens.items()):
                answer = await self._answer(member, metadata)
                self.answers[answer] += 1
                if answer not in ("OK", "UNAVAILABLE"):
                    self.refused.append(f"{member.name}: {answer} for a token of {kid}")
            await asyncio.sleep(PAUSE)

    async def _until_refused(self, member: Member, metadata: Metadata) -> None:
        async with asyncio.timeout(60):
            while await self._answer(member, metadata) != "TOKEN_INVALID":
                await asyncio.sleep(0.02)

    async def _answer(self, member: Member, metadata: Metadata) -> str:
        async with grpc.aio.insecure_channel(member.address) as channel:
            stub = change_service_pb2_grpc.ChangeServiceStub(channel)
            try:
                await stub.GetChangeFeed(
                    change_service_pb2.GetChangeFeedRequest(context=member.context), metadata=metadata, timeout=5
                )
            except grpc.aio.AioRpcError as error:
                silent = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
                return "UNAVAILABLE" if silent else from_rpc_error(error).reason or error.code().name
        return "OK"

    async def _sign_in(self) -> None:
        """A token of the owner from every replica of the directory that answers."""
        request = token_service_pb2.IssueTokenRequest(
            client_id="waybill-admin",
            client_secret=self.fleet.client_secret,
            client_credentials=token_service_pb2.ClientCredentialsGrant(),
        )
        for member in self.fleet.of("directory"):
            async with grpc.aio.insecure_channel(member.address) as channel:
                try:
                    issued = await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request, timeout=5)
                except grpc.aio.AioRpcError:
                    continue
            self._tokens[_kid(issued.access_token)] = (("authorization", f"Bearer {issued.access_token}"),)


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
