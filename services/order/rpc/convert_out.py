"""Orders, lines of supplier orders and events as messages."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from google.type.money_pb2 import Money

from libs.auth import Principal
from libs.json_value import JsonObject
from libs.protoconv import address_out, decimal_out, money_micros, money_out, time_out, xp_out
from services.order.application.building.quoted import Quoted
from services.order.application.reading.read_orders import Found
from services.order.application.records import SupplierOrderView
from services.order.contract.problems import problem_out
from services.order.domain.fees import Fee
from services.order.domain.model import CanceledAmounts as Canceled
from services.order.domain.model import Event, Order, OrderHold, Submission
from services.order.domain.reading.visibility import Side, sides
from services.order.rpc.convert_lines import lines_out
from waybill.fulfillment.v1 import shipment_pb2, supplier_order_pb2
from waybill.order.v1 import fee_pb2, line_item_pb2, order_pb2, order_service_pb2, submission_pb2
from waybill.type.v1 import party_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.canceled_amounts_pb2 import CanceledAmounts

_AMOUNTS = ("subtotal", "discount", "shipping_cost", "tax", "included_tax", "total", "canceled")
_SIDES: dict[Side, dict[str, tuple[str, ...]]] = {
    Side.SELL: {
        "SupplierOrder": (*_AMOUNTS, "shipped_total"),
        "SupplierOrderLine": ("unit_price", "subtotal", "discount", "tax", "included_tax"),
        "ShipSelection": ("cost", "included_tax"),
    },
    Side.COST: {"SupplierOrder": ("cost", "payable"), "SupplierOrderLine": ("unit_cost", "cost")},
    Side.COMMISSION: {"SupplierOrder": ("commission",)},
    Side.BUYER: {"SupplierOrder": ("user_id", "client_id", "billing_address"), "SupplierOrderLine": ("cost_center",)},
}
"""By side, the fields of each message that show it."""


def party(kind: str, id: str) -> party_pb2.Party:
    """A company."""
    return party_pb2.Party(kind=party_pb2.PartyKind.Value(f"PARTY_KIND_{kind}"), id=id)


def status_out(status: str) -> order_pb2.OrderStatus.ValueType:
    """A status by its name."""
    return order_pb2.OrderStatus.Value(f"ORDER_STATUS_{status}")


def any_order(found: Order | SupplierOrderView, caller: Principal) -> order_pb2.Order:
    """An order of either kind; of a supplier order the sides that the caller may see."""
    return order_out(found) if isinstance(found, Order) else supplier_order_out(found, caller)


def any_lines(found: Found, caller: Principal) -> list[line_item_pb2.LineItem]:
    """Lines of an order of either kind; of a supplier order the sides that the caller may see."""
    if isinstance(found.order, Order):
        return lines_out(found.order, found.lines, found.allocations)
    return supplier_lines_out(found.order, caller)


def order_out(o: Order) -> order_pb2.Order:
    """A buyer order."""
    cur = o.currency
    made = order_pb2.Order(
        id=o.id,
        key=str(o.key),
        from_party=party("BUYER", o.buyer_id),
        to_party=party("SELLER", o.seller_id),
        from_user=order_pb2.OrderUser(id=o.user.id, first_name=o.user.first_name, last_name=o.user.last_name, email=o.user.email),
        client_id=o.client_id,
        status=status_out(o.status.value),
        sub_status=o.sub_status,
        sub_status_time=time_out(o.sub_status_time),
        is_submitted=o.is_submitted,
        guest=o.guest,
        submission=None if o.submission is None else submission_out(o.submission),
        currency=cur,
        line_item_count=o.line_item_count,
        subtotal=money_out(o.subtotal, cur),
        discount=money_out(o.discount, cur),
        shipping_cost=money_out(o.shipping_cost, cur),
        tax=money_out(o.tax, cur),
        gratuity=money_out(o.gratuity, cur),
        fees=[_fee(fee, cur) for fee in o.fees],
        fee_total=money_out(o.fee_total, cur),
        total=money_out(o.total, cur),
        canceled=_canceled(o.canceled, cur),
        shipping_address_id=o.shipping_address_id,
        shipping_address=address_out(Address, o.shipping_address),
        billing_address_id=o.billing_address_id,
        billing_address=address_out(Address, o.billing_address),
        comments=o.comments,
        xp=xp_out(o.xp),
        version=o.version,
        etag=str(o.version),
        calculated=o.calculated,
        held=o.held,
        holds=[_hold(hold) for hold in o.holds],
        included_tax=money_out(o.included_tax, cur),
    )
    if o.shipping_cost_override is not None:
        made.shipping_cost_override.CopyFrom(money_out(o.shipping_cost_override, cur))
    if o.tax_override is not None:
        made.tax_override.CopyFrom(money_out(o.tax_override, cur))
    for name in (
        "create_time",
        "update_time",
        "submit_time",
        "approve_time",
        "decline_time",
        "forward_time",
        "complete_time",
        "cancel_time",
    ):
        moment = getattr(o, name)
        if moment is not None:
            getattr(made, name).FromDatetime(moment)
    return made


def _canceled(amounts: Canceled, cur: str) -> CanceledAmounts:
    return CanceledAmounts(
        subtotal=money_out(amounts.subtotal, cur),
        discount=money_out(amounts.discount, cur),
        shipping_cost=money_out(amounts.shipping_cost, cur),
        tax=money_out(amounts.tax, cur),
        gratuity=money_out(amounts.gratuity, cur) if amounts.gratuity else None,
        fee_total=money_out(amounts.fee_total, cur) if amounts.fee_total else None,
        total=money_out(amounts.total, cur),
        included_tax=money_out(amounts.included_tax, cur) if amounts.included_tax else None,
    )


def _fee(fee: Fee, cur: str) -> fee_pb2.Fee:
    return fee_pb2.Fee(
        id=fee.id,
        name=fee.name,
        amount=money_out(fee.amount, cur),
        tax_class=fee.tax_class,
        tax=money_out(fee.tax, cur),
        tax_rate=decimal_out(fee.tax_rate),
        source=fee_pb2.FeeSource.Value(f"FEE_SOURCE_{fee.source.value}"),
    )


def reported(view: SupplierOrderView, caller: Principal) -> supplier_order_pb2.SupplierOrder:
    """The report of a supplier order with the sides that its reader may see."""
    made = supplier_order_pb2.SupplierOrder.FromString(view.document)
    for side in _SIDES.keys() - sides(caller, costed=made.HasField("cost")):
        for part in (made, *made.line_items, *made.ship_selections):
            for name in _SIDES[side].get(part.DESCRIPTOR.name, ()):
                part.ClearField(name)
    return made


def order_plain(order: Order) -> JsonObject:
    """The same as JSON of its message."""
    made: JsonObject = MessageToDict(order_out(order), preserving_proto_field_name=True)
    return made


def supplier_order_out(view: SupplierOrderView, caller: Principal) -> order_pb2.Order:
    """A supplier order as last reported."""
    m = reported(view, caller)
    made = order_pb2.Order(
        id=m.id,
        key=m.key,
        from_party=party("SELLER", view.seller_id),
        to_party=party("SUPPLIER", m.supplier_id) if m.supplier_id else party("SELLER", view.seller_id),
        parent_order_id=m.order_id,
        from_user=order_pb2.OrderUser(id=m.user_id) if m.user_id else None,
        client_id=m.client_id,
        status=status_out(view.status),
        supplier_status=supplier_order_pb2.SupplierOrderStatus.Value(f"SUPPLIER_ORDER_STATUS_{view.supplier_status}"),
        is_submitted=True,
        currency=m.currency,
        line_item_count=len(m.line_items),
        comments=m.comments,
        version=view.version,
        etag=m.etag,
        source_version=view.source_version,
        calculated=True,
        held=m.held,
    )
    for target, source in (
        *((name, name) for name in (*_AMOUNTS, "cost", "payable", "commission")),
        ("create_time", "create_time"),
        ("update_time", "update_time"),
        ("submit_time", "create_time"),
        ("forward_time", "create_time"),
        ("complete_time", "complete_time"),
        ("cancel_time", "cancel_time"),
        ("decline_time", "reject_time"),
        ("shipping_address", "shipping_address"),
        ("billing_address", "billing_address"),
        ("xp", "xp"),
    ):
        if m.HasField(source):  # type: ignore[arg-type]
            getattr(made, target).CopyFrom(getattr(m, source))
    return made


def _hold(hold: OrderHold) -> order_pb2.OrderHold:
    return order_pb2.OrderHold(
        id=hold.id,
        type=order_pb2.OrderHoldType.Value(f"ORDER_HOLD_TYPE_{hold.type}"),
        payment_id=hold.payment_id,
        comment=hold.comment,
        user_id=hold.user_id,
        create_time=time_out(hold.create_time),
        release_time=time_out(hold.release_time),
        release_user_id=hold.release_user_id,
        release_comment=hold.release_comment,
    )


def submission_out(s: Submission) -> submission_pb2.Submission:
    """An attempt."""
    return submission_pb2.Submission(
        attempt=s.attempt,
        state=submission_pb2.SubmissionState.Value(f"SUBMISSION_STATE_{s.state}"),
        finished=s.finished,
        reasons=[problem_out(r) for r in s.reasons],
        begin_time=time_out(s.begin_time),
        deadline=time_out(s.deadline),
        decide_time=time_out(s.decide_time),
        user_id=s.user_id,
        kind=submission_pb2.SubmissionKind.Value(f"SUBMISSION_KIND_{s.kind}"),
        outcome=submission_pb2.SubmissionOutcome.Value(f"SUBMISSION_OUTCOME_{s.outcome or 'UNSPECIFIED'}"),
    )


def supplier_lines_out(view: SupplierOrderView, caller: Principal) -> list[line_item_pb2.LineItem]:
    """Lines of a supplier order, with the buyer's line ids."""
    m = reported(view, caller)
    made: list[line_item_pb2.LineItem] = []
    for line in m.line_items:
        item = line_item_pb2.LineItem(
            id=line.line_item_id,
            product_id=line.product_id,
            variant_id=line.variant_id,
            specs=[
                line_item_pb2.LineItemSpec(
                    spec_id=s.spec_id, name=s.name, option_id=s.option_id, option_name=s.option_name, value=s.value
                )
                for s in line.specs
            ],
            quantity=line.quantity,
            product=line_item_pb2.LineItemProduct(name=line.product_name, shippable=line.shippable),
            pickup_location_id=line.pickup_location_id,
            cost_center=line.cost_center,
            shipping_account=line.shipping_account,
            comments=line.comments,
            quantity_shipped=line.quantity_shipped,
            quantity_canceled=line.quantity_canceled,
            quantity_open=max(0, line.quantity - line.quantity_shipped - line.quantity_canceled),
            quantity_backordered=line.quantity_backordered,
        )
        if line.HasField("subtotal"):
            item.unit_price.CopyFrom(line.unit_price)
            item.subtotal.CopyFrom(line.subtotal)
            item.discount.CopyFrom(line.discount)
            item.tax.CopyFrom(line.tax)
            item.included_tax.CopyFrom(line.included_tax)
            item.total.CopyFrom(_line_total(line, m.currency))
        if line.HasField("unit_cost"):
            item.unit_cost.CopyFrom(line.unit_cost)
            item.cost.CopyFrom(line.cost)
        if line.HasField("shipping_address"):
            item.shipping_address.CopyFrom(line.shipping_address)
        if line.HasField("xp"):
            item.xp.CopyFrom(line.xp)
        if line.HasField("date_needed"):
            item.date_needed.CopyFrom(line.date_needed)
        if line.HasField("expected_time"):
            item.expected_time.CopyFrom(line.expected_time)
        made.append(item)
    return made


def shipment_out(document: bytes, to_buyer: bool) -> shipment_pb2.Shipment:
    """A shipment as last reported. A buyer sees neither what it cost the supplier nor where it and its units come from."""
    made = shipment_pb2.Shipment.FromString(document)
    if to_buyer:
        made.ClearField("cost")
        made.ClearField("ship_from_id")
        for item in made.items:
            item.ClearField("inventory_record_id")
    return made


def _line_total(line: supplier_order_pb2.SupplierOrderLine, currency: str) -> Money:
    return money_out(money_micros(line.subtotal) - money_micros(line.discount) + money_micros(line.tax), currency)


def event_out(order_id: str, event: Event) -> order_service_pb2.OrderEvent:
    """An entry of a history."""
    data = Struct()
    data.update(dict(event.data))
    return order_service_pb2.OrderEvent(
        order_id=order_id,
        order_key=str(event.order_key),
        sequence=event.sequence,
        type=event.type,
        status=status_out(event.status),
        user_id=event.user_id,
        party_id=event.party_id,
        data=data if event.data else None,
        event_time=time_out(event.time),
        client_id=event.origin.client_id,
        request_id=event.origin.request_id,
        impersonator_id=event.origin.impersonator_id,
    )


def quoted_out(made: Quoted) -> dict[str, Any]:
    """The fields that answers about new and changed lines have in common."""
    return {
        "order": order_out(made.order),
        "line_items": lines_out(made.order, made.lines),
        "price_problems": [problem_out(p) for p in made.problems],
    }
