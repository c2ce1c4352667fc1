"""How long a text may be is said by its contract, and what is longer is refused by whoever reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from google.type.decimal_pb2 import Decimal

from libs.errors import Violations
from libs.identify import folded
from libs.resource.contract import Storage
from services.directory.adapters.db.resources import USER
from services.directory.contract.resources import MAX_NAME_KEY
from tests.support.texts import comments, descriptor_of, of_attribute, requested_texts, resources, texts

GROWS = "\ufdfa"
"""One character that is eighteen as texts are compared."""
IDS = re.compile(r"\.(id|\w+_ids?|request_id|etag|key|order_keys?)$")
ASKED = re.compile(r"\.(page_token|resume_token|filter|order_by|contexts|context|kind|event_types|resources)$")
"""What is only asked for: it is bounded where it is read, and stored nowhere."""
NAMED = re.compile(
    r"\.((order_)?currency|country|strategy|sourcing_strategy|stages|sourcing_stages|sub_status|roles|minimum_roles|payment_types)$"
)
"""One of few names; anything else is refused."""
COPIED = re.compile(
    r"^fulfillment\.v1\.(OrderSnapshot|ShipSelection|SupplierOrder)|^order\.v1\.(LineItemProduct|LineItemSpec\.\w*name|Order(Hold|User))|^type\.v1\.Problem"
)
"""Said by one service to another, or output only: as long as it was where another contract let it in."""
OTHERS = {
    "catalog.v1.SupplierPermission.writable_fields": "names of fields, of which there are few",
    "catalog.v1.FacetFilter.values": "looked for, and stored nowhere: tests/unit/catalog/test_facets.py",
    "catalog.v1.ListMyProductsRequest.search": "its words are counted and measured: tests/unit/catalog/test_words.py",
    "catalog.v1.SpecOption.name": "measured with its spec, in whose document it is kept: tests/integration/catalog/test_specs.py",
    "directory.v1.ApiClient.allowed_origins": "has one form, of which a host is the longest part",
    "directory.v1.IssueTokenRequest.client_secret": "compared, and stored nowhere",
    "directory.v1.IssueTokenRequest.origin": "compared, and stored nowhere",
    "directory.v1.ChangePasswordRequest.new_password": "a hash of it is stored",
    "directory.v1.ChangePasswordRequest.old_password": "compared, and stored nowhere",
    "directory.v1.GetKeySetRequest.revision": "compared, and stored nowhere",
    "directory.v1.PasswordGrant.password": "compared, and stored nowhere",
    "directory.v1.PasswordGrant.username": "looked up, and stored nowhere",
    "order.v1.TransferOrderRequest.anonymous_token": "verified as a call's own token is, and stored nowhere",
    "directory.v1.ConfirmRegistrationRequest.password": "compared, and stored nowhere",
    "directory.v1.ConfirmRegistrationRequest.token": "looked up by its digest, and stored nowhere",
    "directory.v1.RegisterRequest.client_secret": "compared, and stored nowhere",
    "directory.v1.RegisterRequest.email": "an e-mail address, read as that of a user is",
    "directory.v1.RegisterRequest.origin": "compared, and stored nowhere",
    "directory.v1.RegisterRequest.password": "a hash of it is stored",
    "directory.v1.RefreshGrant.refresh_token": "looked up by its digest, and stored nowhere",
    "directory.v1.SetPasswordRequest.password": "a hash of it is stored",
    "directory.v1.User.password": "a hash of it is stored",
    "directory.v1.WithdrawKeyRequest.kid": "names a key that there is, whose name was made here",
    "order.v1.OrderSubStatus.follows": "ids, read as such",
    "order.v1.PaymentReport.message": "a transaction's, cut where it is stored",
    "payment.v1.CreditCard.expiration": "has one form",
    "order.v1.PromotionDiscount.code": "output only: the code of a promotion",
    "pricing.v1.OrderPromotions.codes": "compared, and stored nowhere",
    "pricing.v1.Promotion.code": "has one form, of at most 50 characters: tests/unit/pricing/test_promotions.py",
    "pricing.v1.PromotionItem.SpecsEntry.value": "only tried, and stored nowhere",
    "pricing.v1.PromotionItem.cost_center": "only tried, and stored nowhere",
    "pricing.v1.PromotionOrder.promotion_codes": "only tried, and stored nowhere",
    "pricing.v1.TryExpressionRequest.eligible_expression": "measured, and stored nowhere",
    "pricing.v1.TryExpressionRequest.value_expression": "measured, and stored nowhere",
    "pricing.v1.Promotion.item_order": "one of few: tests/unit/pricing/test_promotions.py",
    "payment.v1.CreditCard.partial_number": "at most five characters, by a rule of the card",
    "payment.v1.Payment.unit": "output only: that of the account, which is one of its names",
    "payment.v1.Payment.type": "one of few names, which its tests prove",
    **{
        f"order.v1.{name}": "tried in an expression, and stored nowhere"
        for name in (
            "ApprovalOrder.comments",
            *(f"ApprovalItem.{field}" for field in ("product_name", "tax_class", "cost_center", "comments")),
            *("ApprovalItem.SpecsEntry.value", "TryApprovalExpressionRequest.expression"),
        )
    },
    "order.v1.StartPaymentRequest.return_url": "its own rule bounds it: tests/unit/order/test_return_url.py",
    "payment.v1.StartPaymentRequest.return_url": "measured again: tests/integration/payment/test_redirects.py",
    "payment.v1.CallbackHeader.name": "measured, and stored nowhere: tests/integration/payment/test_callbacks.py",
    "payment.v1.CallbackHeader.value": "measured, and stored nowhere: tests/integration/payment/test_callbacks.py",
    "payment.v1.HandleProviderCallbackRequest.provider": "names a gateway that there is, and is stored nowhere",
    "payment.v1.PaymentRedirect.message": "the gateway's word, cut where it is stored",
    "payment.v1.PaymentRedirect.return_url": "output only: as long as it was where it came in",
    "payment.v1.PaymentRedirect.url": "output only: a longer one of a provider is not sent to anybody",
    "payment.v1.RecordTransactionRequest.reference": "measured again: tests/integration/payment/test_declared_types.py",
    "payment.v1.RecordedTransaction.recorded_by": "output only: the id of a user",
    "payment.v1.PaymentTransaction.gateway_reference": "the gateway's word, cut where it is stored",
    "payment.v1.PaymentTransaction.message": "the gateway's word, cut where it is stored",
    "type.v1.Address.lines": "each as long as the address says of every text",
    "type.v1.TaxExemption.tax_class": "measured with the buyer's exemptions: tests/unit/directory/test_tax_exemptions.py",
}
ATTRIBUTES = {
    f"{context}.{resource.shape.name}.{name}": (resource, name)
    for context, resource in resources()
    for name, attribute in resource.shape.attributes.items()
    if attribute.storage is Storage.TEXT
}


def refused(name: str, text: str) -> bool:
    """Whether the field itself is refused."""
    found = Violations()
    texts()[name].read(found, text)
    return any(v.field.rpartition(".")[2] == name.rpartition(".")[2] for v in found.items)


def test_every_text_of_every_request_has_a_limit_or_a_reason() -> None:
    free = {name for name in requested_texts() if any(p.search(name) for p in (IDS, ASKED, NAMED, COPIED))}
    assert requested_texts() - free - set(OTHERS) - set(texts()) == set()
    assert set(OTHERS) <= requested_texts() - free
    assert set(texts()) <= requested_texts()


@pytest.mark.parametrize("name", sorted(texts()))
def test_a_text_is_as_long_as_its_contract_says_and_no_longer(name: str) -> None:
    limit = texts()[name].limit
    assert f"at most {limit:,} characters" in comments()[name].lower()
    assert not refused(name, "x" * limit)
    assert refused(name, "x" * (limit + 1))


@pytest.mark.parametrize("at", sorted(ATTRIBUTES))
def test_whatever_a_resource_accepts_fits_into_its_column(at: str) -> None:
    resource, name = ATTRIBUTES[at]
    width = resource.table.c[name].type.length
    assert width is not None
    for given in given_to(resource, name, width):
        found = Violations()
        stored = resource.shape.attributes[name].read(found, "it", given, {})
        assert found or len(stored) <= width, given


def given_to(resource: Any, name: str, width: int) -> list[Any]:
    """Messages whose field is as long as it can be, and longer, in characters that stay and in one that grows."""
    made = GetMessageClass(descriptor_of(resource))
    field = made.DESCRIPTOR.fields_by_name[name]
    if field.type == field.TYPE_STRING:
        lengths = (width // 18, width // 18 + 1, width, width + 1)
        return [made(**{name: c * length}) for c in ("x", GROWS) for length in lengths]
    if field.type == field.TYPE_ENUM:
        return [made(**{name: value.number}) for value in field.enum_type.values]
    if field.message_type.full_name == "google.type.Decimal":
        nines = "9" * 18
        return [made(**{name: Decimal(value=text)}) for text in (f"{nines}.{nines}", f"0.{nines}", f"{'0' * 17}1.{nines}")]
    assert field.message_type.full_name == "waybill.type.v1.Party"
    return [made(**{name: {"kind": kind, "id": "x" * length}}) for kind in (1, 2, 3) for length in (100, 101)]


def test_a_user_name_fits_as_it_is_compared_too() -> None:
    read = of_attribute(USER, "username")
    for length in (16, 17, 100):
        found = Violations()
        read(found, GROWS * length)
        assert bool(found) == (len(folded(GROWS * length)) > MAX_NAME_KEY)
