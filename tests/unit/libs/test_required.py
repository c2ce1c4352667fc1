"""Refusals name the required fields that a request left empty."""

from __future__ import annotations

from libs.errors import Kind, WaybillError, invalid, missing
from libs.rpc.required import explained, lacking
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_service_pb2
from waybill.shipping.v1 import zone_service_pb2


def named(error: WaybillError) -> dict[str, str]:
    """Reasons by field."""
    return {violation.field: violation.reason for violation in error.fields}


def test_a_request_that_names_nothing_is_refused_for_that_and_not_for_what_was_not_found() -> None:
    error = explained(missing("order", ""), order_service_pb2.GetOrderTreeRequest())
    assert (error.kind, error.reason, named(error)) == (Kind.INVALID, "FIELD_REQUIRED", {"order_id": "FIELD_REQUIRED"})


def test_a_request_that_names_what_is_not_there_is_refused_as_before() -> None:
    error = missing("order", "PO1")
    assert explained(error, order_service_pb2.GetOrderTreeRequest(order_id="PO1")) is error


def test_every_empty_field_is_named_beside_what_else_is_wrong() -> None:
    request = shipment_service_pb2.AddShipmentItemsRequest(items=[shipment_pb2.ShipmentItem(quantity=-1)])
    error = explained(invalid("items[0].quantity", "VALUE_OUT_OF_RANGE", "must be 1 or more"), request)
    assert named(error) == {"shipment_id": "FIELD_REQUIRED", "items[0].quantity": "VALUE_OUT_OF_RANGE"}


def test_a_list_without_an_entry_is_required_rather_than_of_the_wrong_size() -> None:
    request = zone_service_pb2.CreateZoneRequest(zone=zone_service_pb2.Zone(name="Coast"))
    error = explained(invalid("zone.destinations", "TOO_MANY_ITEMS", "1 to 1,000"), request)
    assert named(error) == {"zone.destinations": "FIELD_REQUIRED"}


def test_a_field_is_not_named_again_when_something_in_it_is_said_to_be_required() -> None:
    error = invalid("zone.name", "FIELD_REQUIRED", "is required")
    assert explained(error, zone_service_pb2.CreateZoneRequest()) is error


def test_paths_that_lead_nowhere_are_left_as_they_are() -> None:
    for path in ("line_items[7].product_id", "order.nothing", "a b", "", "order_id.inside", "line_items"):
        error = invalid(path, "FIELD_INVALID", "is wrong")
        request = line_item_service_pb2.AddLineItemsRequest(order_id="PO1", line_items=[line_item_pb2.LineItem(id="l1")])
        assert explained(error, request) is error, path


def test_who_may_not_is_not_taught_what_is_required() -> None:
    denied = WaybillError(Kind.DENIED, "ROLE_MISSING", "no")
    assert explained(denied, order_service_pb2.GetOrderTreeRequest()) is denied


def test_numbers_are_not_called_empty() -> None:
    request = line_item_service_pb2.AddLineItemsRequest(order_id="PO1", line_items=[line_item_pb2.LineItem(product_id="anvil")])
    error = invalid("line_items[0].quantity", "VALUE_OUT_OF_RANGE", "1 to 1,000,000")
    assert lacking(request) == []
    assert explained(error, request) is error


def test_what_an_update_leaves_as_it_is_is_not_called_empty() -> None:
    error = invalid("zone.destinations", "FIELD_INVALID", "does not go together with the name")
    request = zone_service_pb2.UpdateZoneRequest(zone=zone_service_pb2.Zone(id="coast", name="Coast"))
    assert explained(error, request) is error
    request.update_mask.paths.append("name")
    assert explained(error, request) is error
    request.update_mask.paths.append("destinations")
    assert named(explained(error, request)) == {"zone.destinations": "FIELD_REQUIRED"}
