"""Users change the cards that they keep."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.payment.test_accounts_and_cards import PAN, card, keep
from tests.integration.payment.world import World
from tests.support.principals import buyer, seller, supplier
from waybill.payment.v1 import credit_card_service_pb2 as card_pb


async def change(world: World, id: str, caller=None, mask=(), **values) -> card_pb.CreditCard:
    """UpdateCreditCard."""
    more = {name: values.pop(name) for name in ("request_id",) if name in values}
    card = card_pb.CreditCard(id=id, **values)
    request = card_pb.UpdateCreditCardRequest(credit_card=card, update_mask=FieldMask(paths=mask), **more)
    return (await world.cards(caller).UpdateCreditCard(request)).credit_card


async def test_users_change_their_own_cards_and_administrators_those_of_the_company(world: World) -> None:
    own, admin = buyer(roles.ME_CREDIT_CARD_ADMIN), buyer(roles.CREDIT_CARD_ADMIN, user="ann")
    await keep(world, card(id="annas", buyer_id=""), own)
    await keep(world, card(id="company"))
    await keep(world, card(id="bobs", user_id="bob"))
    changed = await change(world, "annas", own, expiration="2035-01", cardholder_name="Anna B.", request_id="once")
    assert (changed.expiration, changed.cardholder_name, changed.card_type, changed.etag) == ("2035-01", "Anna B.", "visa", "2")
    assert await change(world, "annas", own, expiration="2035-01", cardholder_name="Anna B.", request_id="once") == changed
    for caller, ids in ((admin, ("annas", "company", "bobs")), (seller(), ("annas", "company", "bobs"))):
        for id in ids:
            assert (await change(world, id, caller, card_type="amex")).card_type == "amex"
    for id, caller, kind in (
        ("company", own, Kind.MISSING),
        ("bobs", own, Kind.MISSING),
        ("nowhere", own, Kind.MISSING),
        ("annas", buyer(), Kind.DENIED),
        ("annas", buyer(roles.CREDIT_CARD_ADMIN, party="other"), Kind.MISSING),
        ("annas", supplier(roles.CREDIT_CARD_ADMIN), Kind.DENIED),
    ):
        with pytest.raises(WaybillError) as refused:
            await change(world, id, caller, card_type="stolen")
        assert refused.value.kind is kind
    with pytest.raises(WaybillError) as stale:
        await change(world, "annas", own, expiration="2036-01", etag="1")
    assert stale.value.reason == "ETAG_MISMATCH"
    for path in ("token", "user_id", "buyer_id"):
        with pytest.raises(WaybillError) as fixed:
            await change(world, "annas", own, [path], **{path: "other"})
        assert fixed.value.kind is Kind.INVALID
    with pytest.raises(WaybillError) as number:
        await change(world, "annas", own, cardholder_name=PAN, expiration="soon")
    assert {(f.field, f.reason) for f in number.value.fields} == {
        ("credit_card.cardholder_name", "CARD_NUMBER_REFUSED"),
        ("credit_card.expiration", "FIELD_INVALID"),
    }
