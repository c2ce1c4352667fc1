"""What every call passes: a message that parses, a caller, one line in the log, errors in their form."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_status import rpc_status

from libs.db.conflicts import begin, repeated
from libs.errors import Kind, WaybillError
from libs.obs import get_logger, logs, metrics, tracing
from libs.rpc.access import NOBODY, Rule
from libs.rpc.call import CURRENT, Call
from libs.rpc.counters import served
from libs.rpc.entrance import Entrance, Load, Tokens
from libs.rpc.fairness.admission import Admission, Place
from libs.rpc.fairness.sources import FORWARDED, NOWHERE
from libs.rpc.required import explained
from libs.rpc.status import internal, to_status
from libs.rpc.streams import ServerEnds, Streams
from libs.rpc.wire import MAX_ELEMENTS, TooMany, require_few
from libs.service.waiting import HELD
from waybill.type.v1 import reasons


def _parsed(data: bytes, deserialize: Callable[[bytes], Any], outside: bool) -> Any:
    """The message, once its caller is known. What an outside caller sends is measured before anything is made of it."""
    try:
        if outside:
            require_few(data, deserialize)
        return deserialize(data)
    except TooMany:
        why = f"a request has at most {MAX_ELEMENTS:,} elements, on all its levels together"
        raise WaybillError(Kind.INVALID, reasons.MALFORMED_REQUEST, why) from None
    except (DecodeError, ValueError):
        raise WaybillError(Kind.INVALID, reasons.MALFORMED_REQUEST, "the bytes are no message of the expected type") from None


class CallInterceptor(grpc.aio.ServerInterceptor):
    """One interceptor for all of it; a chain of them would cost a task each."""

    def __init__(
        self, contexts: dict[str, str], access: Mapping[str, Rule], entrance: Entrance, load: Load, streams: Streams
    ) -> None:
        """`access` says by path who may call. `load` and `streams` are those of the whole process, however many ways lead into
        it."""
        self._contexts = contexts
        self._access = access
        self._entrance = entrance
        self._load = load
        self._calls: dict[str, metrics.Calls] = {}
        self._handlers: dict[str, Any] = {}
        self._streams = streams
        self._log = get_logger("rpc")

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails) -> Any:
        """The handler, wrapped once per method."""
        method = details.method
        if self._entrance.outside:
            self._load.turns.notice()
        wrapped = self._handlers.get(method)
        if wrapped is None:
            handler = await continuation(details)
            if handler is None:
                return None
            wrap = self._wrap_open if method.startswith(self._entrance.open) else self._wrap
            wrapped = self._handlers[method] = wrap(method, handler)
        return wrapped

    # Long because the steps of one call share what they know of it, and their order is the point.
    def _wrap(self, method: str, handler: Any) -> Any:
        context_name = self._contexts.get(method.rsplit("/", 1)[0].lstrip("/"), "host")
        rule = self._access.get(method, NOBODY)
        self._calls[method] = metrics.served_calls(context_name, method)
        # Bytes come in as they are: nothing is made of them before their caller is known.
        options = {"request_deserializer": None, "response_serializer": handler.response_serializer}
        deserialize = handler.request_deserializer
        if handler.unary_unary is not None:
            inner = handler.unary_unary

            async def unary(request: Any, context: Any) -> Any:
                began = time.perf_counter()
                if tracing.ACTIVE is not None:
                    tracing.ACTIVE.serve(context_name, method, context.invocation_metadata())
                try:
                    call, request, place, _ = await self._enter(
                        method, context_name, rule, request, deserialize, context, self._load.calls
                    )
                except Exception as error:
                    request = None
                    return await self._fail(context, method, None, error, context_name, began)
                outside = self._entrance.outside
                token = CURRENT.set(call)
                held = HELD.set(place)
                try:
                    response = await repeated(lambda: inner(request, context), outside=outside)
                    if place is not None:
                        place.give_back(method)
                except asyncio.CancelledError:
                    self._ended(method, call, "CANCELLED", "", began)
                    raise
                except Exception as error:
                    failure = explained(error, request) if isinstance(error, WaybillError) else error
                    request = None
                    if place is not None:
                        # A refusal may be answered later, and keeps nobody out meanwhile.
                        place.give_back()
                    return await self._fail(context, method, call, failure, context_name, began)
                finally:
                    CURRENT.reset(token)
                    HELD.reset(held)
                    if place is not None:
                        place.give_back()
                self._ended(method, call, "OK", "", began)
                return response

            return grpc.unary_unary_rpc_method_handler(unary, **options)
        inner_stream = handler.unary_stream

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            began = time.perf_counter()
            if tracing.ACTIVE is not None:
                tracing.ACTIVE.serve(context_name, method, context.invocation_metadata())
            call, resume_token = None, ""
            holds: Callable[[], None] | None = None

            def may_go_on() -> None:
                if holds is not None:
                    holds()

            async def messages() -> AsyncGenerator[Any, None]:
                nonlocal call, request, holds
                call, entered, place, tokens = await self._enter(
                    method, context_name, rule, request, deserialize, context, self._load.streams
                )
                try:
                    request, holds = None, self._entrance.holds(tokens)
                    CURRENT.set(call)
                    begin(self._entrance.outside)
                    async with aclosing(inner_stream(entered, context)) as responses:
                        async for response in responses:
                            yield response
                finally:
                    if place is not None:
                        place.give_back()

            try:
                async for response in self._streams.carry(messages(), may_go_on):
                    resume_token = getattr(response, "resume_token", "")
                    yield response
                self._ended(method, call, "OK", "", began)
            except ServerEnds:
                await self._fail(context, method, call, _drained(resume_token), context_name, began)
            except asyncio.CancelledError:
                self._ended(method, call, "CANCELLED", "", began)
                raise
            except Exception as error:
                request = None
                await self._fail(context, method, call, error, context_name, began)

        return grpc.unary_stream_rpc_method_handler(stream, **options)

    def _wrap_open(self, method: str, handler: Any) -> Any:
        """Health and reflection: for everyone and not in the log, but their streams end with the server too."""
        options = {"request_deserializer": handler.request_deserializer, "response_serializer": handler.response_serializer}
        if handler.unary_stream is not None:
            # Health sends what it has to say by itself.
            async def watch(request: Any, context: Any) -> None:
                await self._streams.attend(handler.unary_stream(request, context))

            return grpc.unary_stream_rpc_method_handler(watch, **options)
        if handler.stream_stream is not None:

            async def converse(requests: Any, context: Any) -> AsyncIterator[Any]:
                with suppress(ServerEnds):
                    async for response in self._streams.carry(handler.stream_stream(requests, context)):
                        yield response

            return grpc.stream_stream_rpc_method_handler(converse, **options)
        return handler

    async def _enter(
        self,
        method: str,
        name: str,
        rule: Rule,
        data: bytes,
        deserialize: Callable[[bytes], Any],
        context: Any,
        admission: Admission,
    ) -> tuple[Call, Any, Place | None, Tokens]:
        """Who calls, whether it may, whether there is room for it, and what it says, in this order. An outside call has its
        place from here on. The tokens are those that the caller is known by."""
        served[method] += 1
        user = service = request_id = ""
        forwarded: list[str] = []
        for key, value in context.invocation_metadata() or ():
            # Two of them are no token: what stands before this server may have looked at the other one.
            if key == "waybill-service":
                service = f"{service},{value}" if service else value
            elif key == "authorization":
                user = f"{user},{value}" if user else value
            elif key == "x-request-id":
                request_id = value[:100]
            elif key == FORWARDED:
                forwarded.append(value)
        tokens = Tokens(service, user)
        caller, caller_service = await self._entrance.caller(method, name, tokens)
        rule.require(caller, caller_service)
        outside, source, place = self._entrance.outside, NOWHERE, None
        if outside:
            source = self._load.sources.of(context.peer(), forwarded)
            place = admission.place(caller, source)
            self._load.guesses.require(method, caller)
        if place is not None:
            place.take()
        try:
            if place is not None:
                await place.turn()
            request = _parsed(data, deserialize, outside)
        except BaseException:
            if place is not None:
                place.give_back()
            raise
        left = context.time_remaining()
        deadline = None if left is None else time.monotonic() + left
        call = Call(method, request_id or uuid.uuid4().hex, caller, caller_service, deadline, source)
        return call, request, place, tokens

    async def _fail(self, context: Any, method: str, call: Call | None, error: Exception, name: str, began: float) -> None:
        """Answers with a failure; what is no WaybillError is a defect, and is logged with where it came from."""
        if isinstance(error, WaybillError):
            if call is not None and self._entrance.outside:
                self._load.guesses.note(method, call.caller, error)
            self._ended(method, call, error.kind.value, error.reason, began)
            status = to_status(error, name)
            if self._entrance.outside and error.kind in (Kind.UNAUTHENTICATED, Kind.EXHAUSTED):
                known = self._load.sources.of(context.peer(), _forwarded(context)) if call is None else call.source
                await self._load.refusals.before(known)
        else:
            self._log.exception("call failed", method=method, request_id=call.request_id if call else "")
            self._ended(method, call, "INTERNAL", "INTERNAL", began)
            status = internal(name)
        _forget(error)
        await _abort(context, status)

    def _ended(self, method: str, call: Call | None, code: str, reason: str, began: float) -> None:
        """Counts the call, ends its span, and writes its one line."""
        seconds = time.perf_counter() - began
        self._calls[method].ended(code, seconds)
        request_id = call.request_id if call else ""
        trace = {} if tracing.ACTIVE is None else {"trace_id": tracing.ACTIVE.served(code, reason, request_id)}
        inside = call is not None and call.caller_service is not None
        level = logging.DEBUG if inside and code == "OK" else logging.INFO
        if logs(level):
            (self._log.debug if level == logging.DEBUG else self._log.info)(
                "call",
                method=method,
                code=code,
                reason=reason,
                duration_ms=round(seconds * 1000, 1),
                request_id=request_id,
                caller=_who(call),
                **trace,
            )


def _forwarded(context: Any) -> list[str]:
    """What proxies say of where the call comes from."""
    return [value for key, value in context.invocation_metadata() or () if key == FORWARDED]


def _drained(resume_token: str) -> WaybillError:
    """The server ends. The token of the last message of the stream goes along."""
    metadata = {"resume_token": resume_token} if resume_token else {}
    return WaybillError(
        Kind.UNAVAILABLE,
        reasons.SERVER_DRAINING,
        "the server ends; resume at another one",
        metadata=metadata,
        retry_after=timedelta(milliseconds=100),
    )


def _who(call: Call | None) -> str:
    if call is None:
        return "nobody"
    if call.caller is None:
        return call.caller_service or "anonymous"
    who = f"{call.caller.party_kind.value.lower()}/{call.caller.party_id}/{call.caller.user_id}"
    if call.caller.impersonator_id:
        who = f"{call.caller.impersonator_id} as {who}"
    return f"{call.caller_service} for {who}" if call.caller_service else who


def _forget(error: BaseException | None) -> None:
    """Lets go of the frames that an exception went through, and of those of its causes.

    gRPC keeps what aborts a call in a cycle with the call, until the collector looks, which is rare. A frame in it would
    keep the request: a few hundred refused calls of strangers would fill the memory.
    """
    while error is not None:
        error.__traceback__ = None
        error.__cause__, error.__context__, error = None, None, error.__cause__ or error.__context__


async def _abort(context: Any, status: status_pb2.Status) -> None:
    rich = rpc_status.to_status(status)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)
