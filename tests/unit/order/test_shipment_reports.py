"""A parcel as it is reported: what the order service keeps of it for each buyer order."""

from __future__ import annotations

import uuid

from services.order.contract.reports import reports_of
from waybill.fulfillment.v1.shipment_pb2 import Shipment, ShipmentItem

ONE, OTHER = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def test_of_an_order_that_a_parcel_holds_nothing_of_any_more_only_the_version_is_kept() -> None:
    items = [ShipmentItem(order_key=ONE, line_item_id="l1", quantity=2), ShipmentItem(order_key=OTHER, line_item_id="l1")]
    kept, emptied = reports_of((), [Shipment(id="box", key="k", version=3, items=items)]).shipments
    assert [i.quantity for i in Shipment.FromString(kept.document).items] == [2]
    assert (str(emptied.order_key), emptied.version, emptied.document) == (OTHER, 3, b"")
