"""What each party sees of an order and of what is around it, field by field: what `fields.md` says, no less and no more."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pool

from tests.access.callers import Callers
from tests.access.cells import PARTIES, fields_of_page
from tests.access.reads import Seen, fill, seen
from tests.support.marketplace import ALL
from waybill.order.v1 import order_service_pb2 as orders
from waybill_client import WaybillError

ROWS = fields_of_page()


def test_every_field_of_every_message_has_one_row() -> None:
    wrong = []
    for heading, rows in ROWS.items():
        listed = [name for names in rows.values() for name in names]
        known = set(descriptor_pool.Default().FindMessageTypeByName(heading.split(" ")[0]).fields_by_name)
        wrong += [f"{heading}: no row has {name}" for name in known - set(listed)]
        wrong += [f"{heading}: there is no {name}" for name in set(listed) - known]
        wrong += [f"{heading}: {name} has two rows" for name in set(listed) if listed.count(name) > 1]
    assert ROWS
    assert not wrong, "\n".join(sorted(wrong))


def differences(found: Seen) -> list[str]:
    """What was shown otherwise than the rows say."""
    wrong = [f"{heading}: was read and stands under no heading of fields.md" for heading in found.keys() - ROWS.keys()]
    wrong += [f"{heading}: was not read" for heading in ROWS.keys() - found.keys()]
    for heading in found.keys() & ROWS.keys():
        for kind in PARTIES:
            meant = {name for parties, names in ROWS[heading].items() if kind in parties for name in names}
            shown = found[heading][kind]
            wrong += [f"{heading}: a {kind.value} was shown {name}" for name in shown - meant]
            wrong += [f"{heading}: a {kind.value} was not shown {name}" for name in meant - shown]
    return sorted(wrong)


async def test_every_party_is_shown_the_fields_of_its_rows_and_no_other(callers: Callers) -> None:
    await fill(callers)
    wrong = differences(await seen(callers))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["user_id", "client_id"])
async def test_what_a_supplier_is_not_shown_it_does_not_find_by_a_filter(callers: Callers, name: str) -> None:
    people, filter = callers.market.people, f'{name} = "nobody"'
    assert not (await people.sam.orders.ListOrders(orders.ListOrdersRequest(direction=ALL, filter=filter))).orders
    for asked in (
        people.clerks["northforge"].orders.ListOrders(orders.ListOrdersRequest(direction=ALL, filter=filter)),
        people.clerks["northforge"].orders.ListOrders(orders.ListOrdersRequest(direction=ALL, order_by=name)),
        people.clerks["northforge"].orders.CountOrders(orders.CountOrdersRequest(direction=ALL, filter=filter)),
    ):
        with pytest.raises(WaybillError) as refused:
            await asked
        assert refused.value.reason in ("FILTER_INVALID", "ORDER_BY_INVALID")
