"""The one line of a call."""

from __future__ import annotations

import io

from libs.errors import missing
from libs.obs import configure_logging
from tests.integration.libs.calls import ANNA, refusal
from tests.support.echo import ECHO, EchoServicer, EchoStub, text
from tests.support.logs import lines
from tests.support.server import Served


async def test_one_line_is_logged_per_call_without_payload_or_token(log: io.StringIO, server: Served) -> None:
    await EchoStub(server.channel).Echo(text("top secret"), metadata=server.metadata(ANNA, "req-7"))
    [line] = [line for line in lines(log) if line["event"] == "call"]
    assert line["method"] == ECHO
    assert (line["code"], line["reason"], line["request_id"]) == ("OK", "", "req-7")
    assert line["caller"] == "buyer/acme/anna"
    assert line["duration_ms"] >= 0
    assert "secret" not in log.getvalue()
    assert server.token(ANNA)[:20] not in log.getvalue()


async def test_a_refused_call_is_logged_with_its_reason(log: io.StringIO, server: Served) -> None:
    await refusal(server.stub(EchoStub).Echo(text("x")))
    await server.service_stub(EchoStub, "order", ANNA).Echo(text("x"))
    await server.service_stub(EchoStub, "order").Echo(text("x"))
    found = [(line["code"], line["reason"], line["caller"]) for line in lines(log) if line["event"] == "call"]
    assert found == [("UNAUTHENTICATED", "TOKEN_MISSING", "nobody"), ("OK", "", "order for buyer/acme/anna"), ("OK", "", "order")]


async def test_at_info_an_outside_call_and_every_failure_has_a_line_and_an_inside_call_that_went_well_has_none(
    log: io.StringIO, server: Served, echo: EchoServicer
) -> None:
    configure_logging("INFO", json=True, stream=log)
    await server.stub(EchoStub, ANNA).Echo(text("x"))
    await server.service_stub(EchoStub, "order").Echo(text("x"))

    async def fail(_: str) -> str:
        raise missing("thing", "x")

    echo.answer = fail
    await refusal(server.service_stub(EchoStub, "order").Echo(text("x")))
    found = [(line["level"], line["code"], line["caller"]) for line in lines(log) if line["event"] == "call"]
    assert found == [("info", "OK", "buyer/acme/anna"), ("info", "NOT_FOUND", "order")]


async def test_above_info_no_call_has_a_line(log: io.StringIO, server: Served) -> None:
    configure_logging("WARNING", json=True, stream=log)
    await server.stub(EchoStub, ANNA).Echo(text("x"))
    await refusal(server.stub(EchoStub).Echo(text("x")))
    assert lines(log) == []
