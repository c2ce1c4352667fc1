"""Who may call at all: every method of every service, called by users of buyers and suppliers."""

from __future__ import annotations

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from services import roles
from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, party
from tests.support.contracts import services
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import user_service_pb2
from waybill_client import AsyncWaybill, WaybillError
from waybill_client.aio_services import AsyncServices
from waybill_client.services import Service, Services

OUTSIDERS = {"BUYER": ("acme", SHOP), "SUPPLIER": ("northforge", PORTAL)}
BOTH = {
    "ProductService": "GetProduct BatchGetProducts ListProducts",
    "AddressService": (
        "CreateAddresses BatchGetAddresses ListAddresses UpdateAddress DeleteAddress "
        "AssignAddresses UnassignAddresses ListAddressAssignments"
    ),
    "BuyerService": "GetBuyer ListBuyers",
    "SellerService": "GetSeller",
    "SupplierService": "GetSupplier ListSuppliers",
    "TokenService": "IssueToken GetKeySet",
    "UserService": "CreateUser BatchCreateUsers GetUser ListUsers UpdateUser DeleteUser SetPassword",
    "UserGroupService": (
        "CreateUserGroup BatchCreateUserGroups GetUserGroup ListUserGroups UpdateUserGroup DeleteUserGroup "
        "AddUserGroupMembers RemoveUserGroupMembers ListUserGroupMembers ListGroupsOfUser"
    ),
    "InventoryService": "CheckAvailability",
    "ShipmentService": "GetShipment ListShipments",
    "LineItemService": "ListLineItems ListLineItemsAcrossOrders",
    "OrderService": "GetOrder ListOrders CountOrders ListOrderHistory WatchOrders",
    "PricingService": "QuoteLines",
}
"""By service: what looks at the caller's own company, or at what everyone may see. What is not here is the seller's alone, or for
services. A method that is new and answers other companies is added here, once it is clear what it shows to whom."""
BUYERS = {
    "CheckoutService": (
        "GetWorksheet EstimateShipping SelectShipMethods CalculateOrder AddPayments RemovePayments "
        "ListPayments ValidateOrder SubmitOrder PlaceOrder"
    ),
    "LineItemService": "AddLineItems UpdateLineItems RemoveLineItems",
    "OrderService": "CreateOrder UpdateOrder CancelOrder DeleteOrder GetOrderTree",
    "CreditCardService": "CreateCreditCard GetCreditCard ListCreditCards DeleteCreditCard",
    "SpendingAccountService": "GetSpendingAccount ListSpendingAccounts",
}
SUPPLIERS = {
    "InventoryService": (
        "CreateInventoryRecord BatchCreateInventoryRecords GetInventoryRecord ListInventoryRecords UpdateInventoryRecord "
        "DeleteInventoryRecord AdjustStock ListStockMovements"
    ),
    "ShipmentService": (
        "CreateShipment BatchCreateShipments UpdateShipment AddShipmentItems RemoveShipmentItems DeleteShipment ShipOrder"
    ),
    "SupplierOrderService": (
        "GetSupplierOrder ListSupplierOrders CountSupplierOrders UpdateSupplierOrder AcceptSupplierOrder RejectSupplierOrder"
    ),
}
CLOSED = ("PARTY_NOT_ADMITTED", "ROLE_MISSING", "SERVICE_ONLY")


def named(*tables: dict[str, str]) -> set[str]:
    """`Service.Method` of all of them."""
    return {f"{service}.{method}" for table in tables for service, methods in table.items() for method in methods.split()}


async def outcome(client: AsyncWaybill, method: MethodDescriptor) -> str:
    """The reason for which an empty call is refused; OK for one that is answered."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    request = GetMessageClass(method.input_type)()
    answer = GetMessageClass(method.output_type)
    kinds = {"request_serializer": type(request).SerializeToString, "response_deserializer": answer.FromString}
    try:
        if method.server_streaming:
            async for _ in client.channel.unary_stream(path, **kinds)(request, timeout=1):
                break
        else:
            await client.channel.unary_unary(path, **kinds)(request)
    except WaybillError as error:
        return error.reason or error.code.name
    return "OK"


async def test_only_what_is_listed_answers_other_companies_whatever_their_roles(sqlite_market: Marketplace) -> None:
    answers: dict[str, set[str]] = {}
    for kind, (company, client_id) in OUTSIDERS.items():
        async with await holder_of_every_role(sqlite_market, kind, company, client_id) as client:
            methods = [method for service in services() for method in service.methods]
            found = {f"{m.containing_service.name}.{m.name}": await outcome(client, m) for m in methods}
        answers[kind] = {name for name, reason in found.items() if reason not in CLOSED}
    listed = {"BUYER": named(BOTH, BUYERS), "SUPPLIER": named(BOTH, SUPPLIERS)}
    assert {kind: sorted(found ^ listed[kind]) for kind, found in answers.items()} == {"BUYER": [], "SUPPLIER": []}


async def test_a_service_is_wholly_for_services_or_offered_by_the_client(shared_sqlite_market: Marketplace) -> None:
    ada = shared_sqlite_market.people.ada
    reasons = {s.name: {await outcome(ada, method) for method in s.methods} for s in services()}
    closed = {name for name, found in reasons.items() if "SERVICE_ONLY" in found}
    assert {name: reasons[name] for name in closed} == {name: {"SERVICE_ONLY"} for name in closed}
    attributes = [name for name, value in vars(Services).items() if isinstance(value, Service)]
    assert attributes == [name for name in AsyncServices.__annotations__ if name != "channel"]
    offered = {type(getattr(ada, name)).__name__.removesuffix("Stub") for name in attributes}
    assert offered | closed == reasons.keys(), "what is not for services is offered"
    assert not offered & closed, "what is for services is not"


async def holder_of_every_role(market: Marketplace, kind: str, company: str, client_id: str) -> AsyncWaybill:
    """A new user of a company, signed in."""
    user = user_service_pb2.User(
        id=f"all-{company}",
        username=f"all-{company}",
        party=party(kind, company),
        first_name="Alex",
        last_name="All",
        email="alex@example.com",
        active=True,
        password=PASSWORD,
        roles=sorted(roles.ALL_ROLES),
    )
    await market.people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    return AsyncWaybill(market.address, client_id, username=user.username, password=PASSWORD)
