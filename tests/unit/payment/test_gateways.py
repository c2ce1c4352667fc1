"""Which gateway a payment's money is held by, and how gateways end."""

from __future__ import annotations

from typing import Any

import pytest

from services.payment.application.gateway.gateways import Gateways


class Provider:
    """As far as it has a name and an end."""

    def __init__(self, name: str, broken: bool = False) -> None:
        self.name, self.broken, self.closes = name, broken, 0

    async def close(self) -> None:
        self.closes += 1
        if self.broken:
            raise ConnectionError(self.name)


def gateways(**by_type: Any) -> Gateways:
    return Gateways(by_type)


def test_a_payment_goes_to_the_gateway_of_its_type() -> None:
    cards, wallets = Provider("cards"), Provider("wallets")
    chosen = gateways(credit_card=cards, wallet=wallets)
    assert (chosen.of("credit_card"), chosen.of("wallet")) == (cards, wallets)
    assert [chosen.name_of(type) for type in ("credit_card", "wallet", "purchase_order")] == ["cards", "wallets", ""]


async def test_a_gateway_of_several_types_is_closed_once_and_one_that_fails_keeps_none_open() -> None:
    broken, shared = Provider("broken", broken=True), Provider("shared")
    with pytest.raises(ConnectionError):
        await gateways(gift_wallet=broken, credit_card=shared, wallet=shared).close()
    assert (broken.closes, shared.closes) == (1, 1)
