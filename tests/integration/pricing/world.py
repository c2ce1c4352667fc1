"""The served pricing service and how tests talk to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.auth import Principal
from libs.clock import ManualClock
from libs.db import Database
from libs.errors import Kind, WaybillError
from libs.service.app import ServiceApp
from services.pricing.adapters.db.tables import RESERVATIONS
from tests.support.principals import buyer, seller
from tests.support.problems import about
from tests.support.server import Served
from tests.support.shops import FakeShop
from waybill.catalog.v1 import supplier_product_service_pb2 as supplied_pb
from waybill.catalog.v1 import supplier_product_service_pb2_grpc as supplied_grpc
from waybill.directory.v1 import membership_service_pb2 as memberships_pb
from waybill.directory.v1 import membership_service_pb2_grpc as memberships_grpc
from waybill.pricing.v1 import cost_schedule_service_pb2_grpc as costs_grpc
from waybill.pricing.v1 import order_pricing_service_pb2 as order_pb
from waybill.pricing.v1 import order_pricing_service_pb2_grpc as order_grpc
from waybill.pricing.v1 import price_floor_service_pb2 as floors_pb
from waybill.pricing.v1 import price_floor_service_pb2_grpc as floors_grpc
from waybill.pricing.v1 import price_schedule_service_pb2 as schedules_pb
from waybill.pricing.v1 import price_schedule_service_pb2_grpc as schedules_grpc
from waybill.pricing.v1 import pricing_pb2, reasons
from waybill.pricing.v1 import pricing_service_pb2_grpc as pb_grpc
from waybill.pricing.v1 import promotion_service_pb2_grpc as promotions_grpc
from waybill.pricing.v1 import redemption_service_pb2 as redemption_pb
from waybill.pricing.v1 import redemption_service_pb2_grpc as redemption_grpc
from waybill.pricing.v1 import tax_rate_service_pb2 as rates_pb
from waybill.pricing.v1 import tax_rate_service_pb2_grpc as rates_grpc
from waybill.type.v1.address_pb2 import Address

LA = Address(lines=["1 Main St"], city="Los Angeles", region="CA", postal_code="90012", country="US")
ORDER = uuid.UUID(int=9123)


def usd(text: str, currency: str = "USD") -> Money:
    whole, _, rest = text.partition(".")
    return Money(currency_code=currency, units=int(whole), nanos=int(rest.ljust(9, "0") or 0))


def schedule(id: str, *breaks: Any, currency: str = "USD", **fields: Any) -> schedules_pb.PriceSchedule:
    """Breaks are prices, or (quantity, price[, sale price])."""
    made = schedules_pb.PriceSchedule(id=id, name=id, currency=currency, **fields)
    for item in breaks:
        quantity, price, *sale = (1, item) if isinstance(item, str) else item
        at_sale = usd(sale[0], currency) if sale else None
        made.price_breaks.add(quantity=quantity, price=usd(price, currency), sale_price=at_sale)
    return made


def rate(share: str, country: str = "US", **fields: Any) -> rates_pb.TaxRate:
    return rates_pb.TaxRate(country=country, rate=Decimal(value=share), **fields)


def line(id: str, product: str = "anvil", quantity: int = 1, **fields: Any) -> pricing_pb2.PricingLine:
    return pricing_pb2.PricingLine(line_item_id=id, product_id=product, quantity=quantity, **fields)


class FakeMemberships(memberships_grpc.MembershipServiceServicer):
    """A directory that knows the groups of users and counts how often it is asked."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def ListUserGroupIds(
        self, request: memberships_pb.ListUserGroupIdsRequest, context: Any
    ) -> memberships_pb.ListUserGroupIdsResponse:
        self.asked.append(request.user_id)
        return memberships_pb.ListUserGroupIdsResponse(user_group_ids=self.groups.get(request.user_id, []))


class FakeSupplierProducts(supplied_grpc.SupplierProductServiceServicer):
    """A catalog that knows the owners of products, and which suppliers may set prices; it counts how often it is asked."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.pricing: set[str] = set()
        self.asked: list[int] = []
        self.away = False

    async def CheckSupplierProducts(
        self, request: supplied_pb.CheckSupplierProductsRequest, context: Any
    ) -> supplied_pb.CheckSupplierProductsResponse:
        if self.away:
            raise WaybillError(Kind.UNAVAILABLE, reasons.DEPENDENCY_UNAVAILABLE, "away", metadata={"dependency": "database"})
        self.asked.append(len(request.product_ids))
        owned = [id for id in request.product_ids if self.owners.get(id) == request.supplier_id]
        return supplied_pb.CheckSupplierProductsResponse(
            may_set_prices=request.supplier_id in self.pricing, owned_product_ids=owned, fulfilled_product_ids=owned
        )


@dataclass(slots=True)
class World:
    """One pricing service."""

    served: Served
    app: ServiceApp
    clock: ManualClock
    database: Database
    memberships: FakeMemberships
    catalog: FakeSupplierProducts
    shop: FakeShop
    broken: bool = field(default=False)
    """Set by tests that break an invariant on purpose."""

    def schedules(self, principal: Principal | None = None) -> Any:
        return self.served.stub(schedules_grpc.PriceScheduleServiceStub, principal or seller())

    def floors(self, principal: Principal | None = None) -> Any:
        return self.served.stub(floors_grpc.PriceFloorServiceStub, principal or seller())

    def costs(self, principal: Principal | None = None) -> Any:
        return self.served.stub(costs_grpc.CostScheduleServiceStub, principal or seller())

    def promotions(self, principal: Principal | None = None) -> Any:
        return self.served.stub(promotions_grpc.PromotionServiceStub, principal or seller())

    def rates(self, principal: Principal | None = None) -> Any:
        return self.served.stub(rates_grpc.TaxRateServiceStub, principal or seller())

    def pricing(self, principal: Principal) -> Any:
        return self.served.stub(pb_grpc.PricingServiceStub, principal)

    @property
    def order(self) -> Any:
        """OrderPricingService as the order service calls it, for a buyer."""
        return self.served.service_stub(order_grpc.OrderPricingServiceStub, "order", buyer())

    @property
    def redemptions(self) -> Any:
        """RedemptionService as the order service calls it, for a buyer."""
        return self.served.service_stub(redemption_grpc.RedemptionServiceStub, "order", buyer())

    async def add(self, *made: schedules_pb.PriceSchedule) -> Any:
        request = schedules_pb.BatchCreatePriceSchedulesRequest(price_schedules=made)
        return (await self.schedules().BatchCreatePriceSchedules(request)).price_schedules

    async def assign(self, *made: tuple[str, str, str], request_id: str = "") -> None:
        """(product, buyer, schedule)."""
        assignments = [schedules_pb.PriceAssignment(product_id=p, buyer_id=b, price_schedule_id=s) for p, b, s in made]
        await self.schedules().AssignPriceSchedules(
            schedules_pb.AssignPriceSchedulesRequest(assignments=assignments, request_id=request_id)
        )

    async def floor(self, *made: tuple[str, str], currency: str = "USD") -> list[str]:
        """(product, price); returns the ids."""
        floors = [floors_pb.PriceFloor(product_id=p, currency=currency, unit_price=usd(price, currency)) for p, price in made]
        answer = await self.floors().BatchCreatePriceFloors(floors_pb.BatchCreatePriceFloorsRequest(price_floors=floors))
        return [floor.id for floor in answer.price_floors]

    async def price(self, product: str, *breaks: Any, **fields: Any) -> None:
        """A default schedule of the product's own id."""
        await self.add(schedule(product, *breaks, **fields))
        await self.assign((product, "", product))

    async def tax(self, *made: rates_pb.TaxRate) -> Any:
        request = rates_pb.BatchCreateTaxRatesRequest(tax_rates=made)
        return (await self.rates().BatchCreateTaxRates(request)).tax_rates

    async def calculate(self, *lines: pricing_pb2.PricingLine, **fields: Any) -> order_pb.CalculateOrderResponse:
        asked = {"buyer_id": "acme", "currency": "USD", "destination": LA, **fields}
        answer: order_pb.CalculateOrderResponse = await self.order.CalculateOrder(
            order_pb.CalculateOrderRequest(lines=lines, **asked)
        )
        return answer

    async def reserve(
        self, *lines: pricing_pb2.PricingLine, attempt: int = 1, expected: dict[str, str] | None = None, **fields: Any
    ) -> tuple[str, list[tuple[str, str]]]:
        """State, and of every problem what it is about, and its reason."""
        deadline = Timestamp()
        deadline.FromDatetime(self.clock.now() + timedelta(minutes=1))
        prices = list(fields.pop("expected_prices", []))
        asked = {"buyer_id": "acme", "currency": "USD", "order_key": str(ORDER), "deadline": deadline, **fields}
        prices += [redemption_pb.ExpectedPrice(line_item_id=i, unit_price=usd(p)) for i, p in (expected or {}).items()]
        answer = await self.redemptions.ReserveRedemptions(
            redemption_pb.ReserveRedemptionsRequest(lines=lines, attempt=attempt, expected_prices=prices, **asked)
        )
        return state(answer), [(about(p), p.reason) for p in answer.problems]

    async def confirm(self, attempt: int = 1) -> str:
        request = redemption_pb.ConfirmRedemptionsRequest(order_key=str(ORDER), attempt=attempt)
        return state(await self.redemptions.ConfirmRedemptions(request))

    async def release(self, attempt: int = 1) -> str:
        request = redemption_pb.ReleaseRedemptionsRequest(order_key=str(ORDER), attempt=attempt)
        return state(await self.redemptions.ReleaseRedemptions(request))

    async def void(self) -> None:
        await self.redemptions.VoidRedemptions(redemption_pb.VoidRedemptionsRequest(order_key=str(ORDER)))

    async def reservations(self) -> dict[int, str]:
        """State by attempt, as stored."""
        async with self.database.reading() as tx:
            rows = (await tx.execute(sa.select(RESERVATIONS.c.attempt, RESERVATIONS.c.state))).all()
        return {row.attempt: row.state for row in rows}


def state(answer: Any) -> str:
    return str(redemption_pb.RedemptionState.Name(answer.state)).removeprefix("REDEMPTION_STATE_")
