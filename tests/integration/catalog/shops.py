"""Peers that answer a catalog what things cost and what there is of them, and short words for a shop."""

from __future__ import annotations

from typing import Any

from google.type.money_pb2 import Money

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from tests.integration.catalog.world import World
from tests.support.principals import buyer
from waybill.catalog.v1 import my_product_service_pb2 as pb
from waybill.catalog.v1 import my_product_service_pb2_grpc as pb_grpc
from waybill.directory.v1 import ordering_context_service_pb2 as context_pb
from waybill.directory.v1 import ordering_context_service_pb2_grpc as context_grpc
from waybill.fulfillment.v1 import inventory_service_pb2 as stock_pb
from waybill.fulfillment.v1 import inventory_service_pb2_grpc as stock_grpc
from waybill.pricing.v1 import product_price_service_pb2 as prices_pb
from waybill.pricing.v1 import product_price_service_pb2_grpc as prices_grpc
from waybill.type.v1 import reasons


class Peer:
    """Counts how often it is asked, and does not answer while it is down."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False

    def ask(self) -> None:
        """Notes a call."""
        self.asked += 1
        if self.down:
            raise WaybillError(Kind.UNAVAILABLE, reasons.DEPENDENCY_UNAVAILABLE, "away", metadata={"dependency": "database"})


class FakeBuyers(Peer, context_grpc.OrderingContextServiceServicer):
    """Every buyer and user is there, and orders in dollars."""

    async def GetOrderingContext(self, request: Any, context: Any) -> context_pb.GetOrderingContextResponse:
        self.ask()
        made = context_pb.GetOrderingContextResponse()
        made.buyer.id, made.buyer.currency, made.user.id = request.buyer_id, "USD", request.user_id
        return made


class FakePrices(Peer, prices_grpc.ProductPriceServiceServicer):
    """Everything costs a dollar."""

    async def BatchGetProductPrices(self, request: Any, context: Any) -> prices_pb.BatchGetProductPricesResponse:
        self.ask()
        made, dollar = prices_pb.BatchGetProductPricesResponse(), Money(currency_code="USD", units=1)
        for id in request.product_ids:
            made.prices.add(product_id=id, currency="USD", quantity=1, unit_price=dollar)
        return made


class FakeStock(Peer, stock_grpc.InventoryServiceServicer):
    """Of everything there are seven."""

    async def CheckAvailability(self, request: Any, context: Any) -> stock_pb.CheckAvailabilityResponse:
        self.ask()
        made = stock_pb.CheckAvailabilityResponse()
        for id in request.product_ids:
            made.products.add(product_id=id, available=7)
        return made


def shop(world: World, caller: Principal | None = None) -> pb_grpc.MyProductServiceStub:
    """The shop as a caller sees it, a buyer unless given."""
    return world.served.stub(pb_grpc.MyProductServiceStub, caller or buyer())


async def found(world: World, caller: Principal | None = None, **asked: Any) -> list[str]:
    """Ids of what a caller finds in the shop."""
    page = await shop(world, caller).ListMyProducts(pb.ListMyProductsRequest(**{"order_by": "id", **asked}))
    return [item.product.id for item in page.products]
