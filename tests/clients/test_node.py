"""What the Node module of docs/clients.md promises beyond its program."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.clients.conftest import done
from tests.e2e.test_readme import first_steps
from tests.support.ports import free_address
from tests.support.process import served
from waybill_client import Waybill

PASSWORD = "correct horse battery staple"
WATCH = """
import { Waybill } from './waybill.mjs';
const [address, password] = process.argv.slice(1);
const waybill = new Waybill('../../../protos', address, 'shop', { password: { username: 'ada', password } });
const wanted = { direction: 'DIRECTION_OUTGOING', event_types: ['order_created'], from_start: true };
for await (const { event } of waybill.watchOrders(wanted)) if (event) console.log(event.order_id);
"""
AMOUNTS = """
import { money, nanos, text } from './waybill.mjs';
for (const amount of process.argv.slice(1)) console.log(text(money(amount, 'USD')), String(nanos(money(amount, 'USD'))));
for (const wrong of ['1e3', '', '0.0000000001', '1,50']) {
  try { money(wrong, 'USD'); console.log('TAKEN', wrong); } catch { console.log('refused'); }
}
"""


async def test_amounts_are_exact_whatever_their_size_and_sign(node: Path) -> None:
    amounts = ("-0.5", "12.5", "9007199254740993.01", "1.000000001", "0")
    assert await done("node", "--input-type=module", "-e", AMOUNTS, "--", *amounts, folder=node) == [
        "-0.50 USD -500000000",
        "12.50 USD 12500000000",
        "9007199254740993.01 USD 9007199254740993010000000",
        "1.000000001 USD 1000000001",
        "0.00 USD 0",
        *["refused"] * 4,
    ]


@pytest.mark.timeout(300)
async def test_a_watch_goes_on_at_the_next_server_and_sends_every_order_once(node: Path, tmp_path: Path) -> None:
    def order(address: str, id: str) -> None:
        with Waybill(address, "shop", username="ada", password=PASSWORD) as waybill:
            waybill.place_order({"anvil": 1}, id=id)

    again = ("--bind", free_address())
    async with served(tmp_path / "data", options=again) as first:
        await first_steps(first)
        await asyncio.to_thread(order, first.address, "first")
        command = ("node", "--input-type=module", "-e", WATCH, first.address, PASSWORD)
        watching = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=node)
        assert watching.stdout is not None
        seen = [await watching.stdout.readline()]
    try:
        async with served(tmp_path / "data", options=again) as second:
            await asyncio.to_thread(order, second.address, "second")
            await asyncio.to_thread(order, second.address, "third")
            seen += [await watching.stdout.readline() for _ in range(2)]
    finally:
        watching.kill()
        await watching.wait()
    assert [line.decode().strip() for line in seen] == ["first", "second", "third"]
