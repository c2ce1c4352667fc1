"""What the expressions of approval rules are written about, how they are checked when they are saved, and what they come to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from libs.errors import Violations
from libs.expr import BOOL, MAX_LENGTH, TEXT, Environment, Expression, Faults, Function, Reason, Result
from libs.protoconv import address_out, xp_out
from services.order.domain.approval.rounds import Evaluate, Match
from services.order.domain.approval.rules import ApprovalRule
from services.order.domain.model import Line, Order
from waybill.order.v1 import approval_expression_pb2 as pb
from waybill.order.v1 import reasons
from waybill.type.v1.address_pb2 import Address

MAX_EXPRESSION = MAX_LENGTH
"""Characters of an expression."""
LONGEST_ERROR = 1_000
"""Characters that are kept of why an expression could not be worked out."""
GROUPS = "order.user_group_ids"
"""What only the directory knows: it need not be asked for expressions that do not read this."""
REASONS: Mapping[Reason, reasons.ReasonName] = {
    Reason.SYNTAX: reasons.EXPRESSION_SYNTAX_INVALID,
    Reason.UNKNOWN_NAME: reasons.EXPRESSION_NAME_UNKNOWN,
    Reason.TYPE: reasons.EXPRESSION_TYPE_MISMATCH,
    Reason.NOT_ALLOWED: reasons.EXPRESSION_NOT_ALLOWED,
    Reason.TOO_LONG: reasons.EXPRESSION_TOO_LARGE,
    Reason.TOO_COSTLY: reasons.EXPRESSION_TOO_LARGE,
}


def _approved(bindings: Mapping[str, pb.ApprovalOrder], rule_id: str) -> bool:
    return rule_id in bindings["order"].approved_rule_ids


_ENVIRONMENT = Environment(
    {"order": pb.ApprovalOrder, "now": Timestamp}, {"approved": Function((TEXT,), BOOL, _approved, literal=True)}
)


@lru_cache(maxsize=4_000)
def expression_of(text: str) -> Expression:
    """The condition of a rule. Raises `Faults` with all that is wrong with it."""
    return _ENVIRONMENT.check(text, Result.CONDITION)


def check_expression(found: Violations, where: str, text: str) -> None:
    """Notes every fault, with its place in the text. That a text is missing or too long is noted where it is read."""
    if not 0 < len(text) <= MAX_EXPRESSION:
        return
    try:
        expression_of(text)
    except Faults as error:
        for fault in error.faults:
            found.add(where, REASONS[fault.reason], str(fault))


def bindings_of(order: pb.ApprovalOrder) -> dict[str, Message]:
    """What a run is given."""
    return {"order": order, "now": order.submit_time}


def matches(rules: Sequence[ApprovalRule], order: pb.ApprovalOrder) -> Evaluate:
    """The rules that hold for an order, as a round asks them. One that cannot be worked out holds, so that nobody gets by it
    with an order on which it fails."""
    seen = pb.ApprovalOrder()
    seen.CopyFrom(order)

    def evaluate(approved: frozenset[str]) -> list[Match]:
        seen.approved_rule_ids[:] = sorted(approved)
        bound = bindings_of(seen)
        judged = ((rule, _judged(rule.expression, bound)) for rule in sorted(rules, key=lambda rule: rule.id))
        return [Match(rule.id, rule.group_id, error[:LONGEST_ERROR]) for rule, (holds, error) in judged if holds]

    return evaluate


def _judged(text: str, bound: Mapping[str, Message]) -> tuple[bool, str]:
    """Whether a rule holds, and why it could not be worked out. What another build has saved may be no expression of this one."""
    try:
        value = expression_of(text).run(bound)
    except Faults as error:
        return True, str(error)
    return value.failed or bool(value.value), value.error


def approval_order(order: Order, lines: Sequence[Line], groups: Collection[str], now: datetime) -> pb.ApprovalOrder:
    """An order as expressions see it when it is submitted at `now`."""
    made = pb.ApprovalOrder(
        id=order.id,
        buyer_id=order.buyer_id,
        user_id=order.user.id,
        user_group_ids=sorted(groups),
        client_id=order.client_id,
        currency=order.currency,
        line_item_count=order.line_item_count,
        subtotal=order.subtotal,
        discount=order.discount,
        shipping_cost=order.shipping_cost,
        tax=order.tax,
        included_tax=order.included_tax,
        gratuity=order.gratuity,
        fee_total=order.fee_total,
        total=order.total,
        shipping_address=address_out(Address, order.shipping_address),
        billing_address=address_out(Address, order.billing_address),
        comments=order.comments,
        xp=xp_out(order.xp),
        items=[_item(line) for line in lines],
    )
    made.submit_time.FromDatetime(now)
    return made


def _item(line: Line) -> pb.ApprovalItem:
    return pb.ApprovalItem(
        id=line.id,
        product_id=line.product_id,
        product_name=line.product.name,
        variant_id=line.variant_id,
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_overridden=line.unit_price_override is not None,
        subtotal=line.subtotal,
        discount=line.discount,
        tax=line.tax,
        supplier_id=line.product.default_supplier_id,
        tax_class=line.product.tax_class,
        cost_center=line.cost_center,
        shipping_address=address_out(Address, line.shipping_address),
        comments=line.comments,
        specs={choice.spec_id: choice.option_id or choice.value for choice in line.choices},
        xp=xp_out(line.xp),
    )


class ApprovalExpressions:
    """The expressions of rules, for use cases that know no messages."""

    def read_groups(self, rules: Sequence[ApprovalRule]) -> bool:
        """Whether one of the rules asks for the groups of the order's user. What is no expression any more holds without them."""
        return any(GROUPS in _names(rule.expression) for rule in rules)

    def subject(self, order: Order, lines: Sequence[Line], groups: Collection[str], now: datetime) -> bytes:
        """The order as rules see it."""
        return approval_order(order, lines, groups, now).SerializeToString(deterministic=True)

    def judge(self, rules: Sequence[ApprovalRule], subject: bytes) -> Evaluate:
        """The rules that hold for it, as a round asks."""
        return matches(rules, pb.ApprovalOrder.FromString(subject))


def _names(text: str) -> Collection[str]:
    try:
        return expression_of(text).names
    except Faults:
        return ()
