"""A marketplace with two buyers and a supplier, and stubs that call as anyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.auth import Principal
from libs.clock import ManualClock
from services import roles
from tests.support.principals import seller
from tests.support.server import Served
from waybill.directory.v1 import address_service_pb2 as addresses
from waybill.directory.v1 import address_service_pb2_grpc as addresses_grpc
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import api_client_service_pb2_grpc as clients_grpc
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import buyer_service_pb2_grpc as buyers_grpc
from waybill.directory.v1 import cost_center_service_pb2_grpc as cost_centers_grpc
from waybill.directory.v1 import key_service_pb2_grpc as keys_grpc
from waybill.directory.v1 import membership_service_pb2_grpc as memberships_grpc
from waybill.directory.v1 import ordering_context_service_pb2_grpc as contexts_grpc
from waybill.directory.v1 import security_profile_service_pb2 as profiles
from waybill.directory.v1 import security_profile_service_pb2_grpc as profiles_grpc
from waybill.directory.v1 import seller_service_pb2_grpc as sellers_grpc
from waybill.directory.v1 import supplier_service_pb2 as suppliers
from waybill.directory.v1 import supplier_service_pb2_grpc as suppliers_grpc
from waybill.directory.v1 import token_service_pb2_grpc as tokens_grpc
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.directory.v1 import user_group_service_pb2_grpc as groups_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill.directory.v1 import user_service_pb2_grpc as users_grpc
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SELLER, PARTY_KIND_SUPPLIER, Party

PASSWORD = "correct horse battery staple"
SELLER = Party(kind=PARTY_KIND_SELLER, id="seller")
ACME = Party(kind=PARTY_KIND_BUYER, id="acme")
GLOBEX = Party(kind=PARTY_KIND_BUYER, id="globex")
BOLT = Party(kind=PARTY_KIND_SUPPLIER, id="bolt")


def address(id: str = "", **more: Any) -> Address:
    return Address(**{"id": id, "lines": ["1 Main St"], "city": "Springfield", "country": "US", **more})


def entry(id: str = "", party: Party | None = ACME, user_id: str = "", **more: Any) -> addresses.AddressEntry:
    return addresses.AddressEntry(party=party, address=address(id, **more), user_id=user_id)


def assignment(
    id: str, user_id: str = "", party: Party | None = ACME, shipping: bool = True, billing: bool = False, group_id: str = ""
) -> addresses.AddressAssignment:
    return addresses.AddressAssignment(
        party=party, address_id=id, user_id=user_id, shipping=shipping, billing=billing, user_group_id=group_id
    )


def user(id: str, party: Party = ACME, *held: str, **more: Any) -> users.User:
    values = {"username": id, "active": True, "password": PASSWORD, "roles": held or (roles.SHOPPER,)}
    return users.User(**{"id": id, "party": party, **values, **more})


def group(id: str, party: Party = ACME, **more: Any) -> groups.UserGroup:
    return groups.UserGroup(**{"id": id, "name": id, "party": party, **more})


def member(group_id: str, user_id: str) -> groups.UserGroupMember:
    return groups.UserGroupMember(user_group_id=group_id, user_id=user_id)


def profile(id: str, *given: str, **more: Any) -> profiles.SecurityProfile:
    return profiles.SecurityProfile(**{"id": id, "name": id, "roles": given, **more})


def given(id: str, **assignee: Any) -> profiles.SecurityProfileAssignment:
    return profiles.SecurityProfileAssignment(security_profile_id=id, **assignee)


@dataclass(frozen=True, slots=True)
class Stubs:
    """Every service, called as one caller."""

    sellers: Any
    buyers: Any
    suppliers: Any
    users: Any
    addresses: Any
    clients: Any
    groups: Any
    profiles: Any
    keys: Any
    cost_centers: Any


class World:
    """A served directory."""

    def __init__(self, served: Served, clock: ManualClock) -> None:
        self.served = served
        self.clock = clock
        self.admin = self.calls(seller())
        self.tokens: Any = served.stub(tokens_grpc.TokenServiceStub)
        self.contexts: Any = self.service("order")
        self.memberships: Any = served.service_stub(memberships_grpc.MembershipServiceStub, "pricing")

    def calls(self, caller: Principal | None) -> Stubs:
        kinds = (
            sellers_grpc.SellerServiceStub,
            buyers_grpc.BuyerServiceStub,
            suppliers_grpc.SupplierServiceStub,
            users_grpc.UserServiceStub,
            addresses_grpc.AddressServiceStub,
            clients_grpc.ApiClientServiceStub,
            groups_grpc.UserGroupServiceStub,
            profiles_grpc.SecurityProfileServiceStub,
            keys_grpc.KeyServiceStub,
            cost_centers_grpc.CostCenterServiceStub,
        )
        return Stubs(*(self.served.stub(kind, caller) for kind in kinds))

    def service(self, name: str) -> Any:
        return self.served.service_stub(contexts_grpc.OrderingContextServiceStub, name)

    async def companies(self, restricted: bool = False) -> None:
        """Two buyers and a supplier."""
        made = [
            buyers.Buyer(id="acme", name="Acme", active=True, currency="USD", restrict_addresses=restricted),
            buyers.Buyer(id="globex", name="Globex", active=True, currency="EUR"),
        ]
        await self.admin.buyers.BatchCreateBuyers(buyers.BatchCreateBuyersRequest(buyers=made))
        await self.admin.suppliers.CreateSupplier(
            suppliers.CreateSupplierRequest(supplier=suppliers.Supplier(id="bolt", name="Bolt", active=True))
        )

    async def people(self, *made: users.User) -> None:
        """Anna and Bob of Acme, Gil of Globex, Sven of Bolt, unless others are named."""
        found = made or (user("anna"), user("bob"), user("gil", GLOBEX), user("sven", BOLT, roles.ORDER_READER))
        await self.admin.users.BatchCreateUsers(users.BatchCreateUsersRequest(users=found))

    async def client(self, id: str = "shop", secret: bool = False, **more: Any) -> str:
        """An API client; its secret if it gets one."""
        made = clients.ApiClient(**{"id": id, "name": id, "active": True, "allow_any_buyer": True, **more})
        await self.admin.clients.CreateApiClient(clients.CreateApiClientRequest(api_client=made))
        if not secret:
            return ""
        rotated = await self.admin.clients.RotateSecret(clients.RotateSecretRequest(api_client_id=id))
        return str(rotated.client_secret)

    async def book(self, *entries: addresses.AddressEntry) -> None:
        await self.admin.addresses.CreateAddresses(addresses.CreateAddressesRequest(entries=entries))

    async def assign(self, *items: addresses.AddressAssignment) -> None:
        await self.admin.addresses.AssignAddresses(addresses.AssignAddressesRequest(assignments=items))

    async def groups(self, *made: groups.UserGroup) -> None:
        await self.admin.groups.BatchCreateUserGroups(groups.BatchCreateUserGroupsRequest(user_groups=made))

    async def join(self, *members: groups.UserGroupMember) -> None:
        await self.admin.groups.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=members))

    async def leave(self, *members: groups.UserGroupMember) -> None:
        await self.admin.groups.RemoveUserGroupMembers(groups.RemoveUserGroupMembersRequest(members=members))

    async def profiles(self, *made: profiles.SecurityProfile) -> None:
        request = profiles.BatchCreateSecurityProfilesRequest(security_profiles=made)
        await self.admin.profiles.BatchCreateSecurityProfiles(request)

    async def give(self, *items: profiles.SecurityProfileAssignment) -> None:
        await self.admin.profiles.AssignSecurityProfiles(profiles.AssignSecurityProfilesRequest(assignments=items))
