"""Serves the feeds of changes of the hosted apps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from google.protobuf.json_format import ParseDict

from libs.errors import Violations, missing
from libs.protoconv import time_out
from libs.relay import resume_token
from libs.relay.change import ChangeFeed, Entry, FeedState, Place
from libs.relay.feed import Position
from libs.relay.tail import Tail
from libs.rpc.call import current
from libs.service.app import ServiceApp
from waybill.changes.v1 import change_service_pb2 as pb
from waybill.changes.v1 import change_service_pb2_grpc as pb_grpc
from waybill.type.v1 import reasons

CHANGE_SERVICE = "waybill.changes.v1.ChangeService"
PAUSE = 0.5
"""Seconds between two looks at a feed that somebody watches, for what other processes have written."""
MAX_RESOURCES = 50
MAX_RESOURCE = 60
"""Characters of a kind of resource."""


class ChangeServicer(pb_grpc.ChangeServiceServicer):
    """Every server answers for the contexts it hosts."""

    def __init__(self, apps: Sequence[ServiceApp], pause: float = PAUSE) -> None:
        """`pause` is between two looks at a feed for what other processes have written, in seconds."""
        self._feeds: dict[str, ChangeFeed] = {app.name: app.changes for app in apps if app.changes is not None}
        self._tails = {name: Tail(feed, pause) for name, feed in self._feeds.items()}

    async def WatchChanges(self, request: pb.WatchChangesRequest, context: Any) -> AsyncIterator[pb.WatchChangesResponse]:
        """Reads up to the end, and then whatever comes."""
        _check(request)
        feed = self._feed(request.context)
        bound = _binding(request)
        if request.resume_token:
            place = resume_token.read(request.resume_token, bound, _place)
        else:
            place = await (feed.oldest() if request.from_start else feed.latest())
            yield pb.WatchChangesResponse(resume_token=_token(place, bound))
        async with aclosing(self._tails[request.context].watch(place, request.resources)) as news:
            async for place, entry in news:
                change = None if entry is None else _change(entry)
                yield pb.WatchChangesResponse(change=change, resume_token=_token(place, bound))

    async def GetChangeFeed(self, request: pb.GetChangeFeedRequest, context: Any) -> pb.GetChangeFeedResponse:
        """What it is now."""
        return pb.GetChangeFeedResponse(feed=_state(request.context, await self._feed(request.context).state()))

    async def SwitchChangeFeed(self, request: pb.SwitchChangeFeedRequest, context: Any) -> pb.SwitchChangeFeedResponse:
        """What is wished for is a state, so a repeat changes nothing."""
        feed = self._feed(request.context)
        await feed.switch(request.enabled)
        return pb.SwitchChangeFeedResponse(feed=_state(request.context, await feed.state()))

    def _feed(self, context: str) -> ChangeFeed:
        found = Violations()
        found.require("context", bool(context), reasons.FIELD_REQUIRED, "name the context")
        found.raise_if_any()
        feed = self._feeds.get(context)
        if feed is None:
            raise missing("feed of changes", context)
        return feed


def _state(context: str, state: FeedState) -> pb.ChangeFeed:
    return pb.ChangeFeed(
        context=context,
        enabled=state.enabled,
        changes=state.changes,
        oldest_time=time_out(state.oldest),
        newest_time=time_out(state.newest),
    )


def _check(request: pb.WatchChangesRequest) -> None:
    found = Violations()
    found.require("context", bool(request.context), reasons.FIELD_REQUIRED, "name the context")
    found.require("resources", len(request.resources) <= MAX_RESOURCES, reasons.TOO_MANY_ITEMS, f"at most {MAX_RESOURCES}")
    for i, resource in enumerate(request.resources[:MAX_RESOURCES]):
        named = 0 < len(resource) <= MAX_RESOURCE and resource.isprintable()
        found.require(f"resources[{i}]", named, reasons.VALUE_OUT_OF_RANGE, f"1 to {MAX_RESOURCE} printable characters")
    both = request.from_start and request.resume_token
    found.require("from_start", not both, reasons.FIELD_INVALID, "not together with a resume token")
    found.raise_if_any()


def _binding(request: pb.WatchChangesRequest) -> str:
    """What a token belongs to: the caller's company and what is watched."""
    return resume_token.binding(current().principal.party_id, request.context, sorted(request.resources))


def _token(place: Place, bound: str) -> str:
    return resume_token.write(bound, place.position, place.epoch)


def _place(position: Position, epoch: str) -> Place:
    return Place(position, str(epoch))


def _change(entry: Entry) -> pb.Change:
    change, cause = entry.change, entry.cause
    answer = pb.Change(
        resource=change.resource,
        resource_id=change.resource_id,
        version=change.version,
        method=cause.method,
        client_id=cause.client_id,
        actor=cause.actor,
        impersonator=cause.impersonator,
        request_id=cause.request_id,
        time=time_out(change.time),
    )
    if change.body is not None:
        ParseDict(dict(change.body), answer.deleted_body)
    return answer


def register_changes(server: Any, servicer: ChangeServicer) -> None:
    """Adds the service to a server."""
    pb_grpc.add_ChangeServiceServicer_to_server(servicer, server)
