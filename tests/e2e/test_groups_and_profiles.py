"""A role that a group's profile gives holds from the next sign-in on, and so does its end."""

from __future__ import annotations

import jwt
import pytest

from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, party
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1 import security_profile_service_pb2 as profile_pb
from waybill.directory.v1 import token_service_pb2 as token_pb
from waybill.directory.v1 import user_group_service_pb2 as group_pb
from waybill.directory.v1 import user_service_pb2 as user_pb
from waybill.pricing.v1 import tax_rate_service_pb2 as tax_pb
from waybill_client import AsyncWaybill, WaybillError


async def lists_tax_rates(market: Marketplace, username: str) -> bool:
    """Whether a new sign-in may read what the seller's administrators of tax rates may."""
    async with AsyncWaybill(market.address, PORTAL, username=username, password=PASSWORD) as client:
        try:
            await client.tax_rates.ListTaxRates(tax_pb.ListTaxRatesRequest())
        except WaybillError as error:
            if error.metadata != {"role": "TaxRateAdmin"}:
                raise
            return False
    return True


async def clerk(market: Marketplace, id: str) -> None:
    """A new user of the seller with a role that decides nothing here."""
    user = user_pb.User(
        id=id, username=id, party=party("SELLER", "seller"), active=True, password=PASSWORD, roles=["OrderReader"]
    )
    await market.people.owner.users.CreateUser(user_pb.CreateUserRequest(user=user))


async def test_a_call_passes_after_a_sign_in_as_a_member_and_no_more_after_one_as_none(sqlite_market: Marketplace) -> None:
    owner = sqlite_market.people.owner
    await clerk(sqlite_market, "tess")
    assert not await lists_tax_rates(sqlite_market, "tess")
    group = group_pb.UserGroup(id="tax", name="Tax office", party=party("SELLER", "seller"))
    await owner.user_groups.CreateUserGroup(group_pb.CreateUserGroupRequest(user_group=group))
    profile = profile_pb.SecurityProfile(id="tax", name="Tax rates", roles=["TaxRateAdmin"])
    await owner.security_profiles.CreateSecurityProfile(profile_pb.CreateSecurityProfileRequest(security_profile=profile))
    assigned = [profile_pb.SecurityProfileAssignment(security_profile_id="tax", user_group_id="tax")]
    await owner.security_profiles.AssignSecurityProfiles(profile_pb.AssignSecurityProfilesRequest(assignments=assigned))
    members = [group_pb.UserGroupMember(user_group_id="tax", user_id="tess")]

    await owner.user_groups.AddUserGroupMembers(group_pb.AddUserGroupMembersRequest(members=members))
    async with AsyncWaybill(sqlite_market.address, PORTAL, username="tess", password=PASSWORD) as before:
        await before.tax_rates.ListTaxRates(tax_pb.ListTaxRatesRequest())
        await owner.user_groups.RemoveUserGroupMembers(group_pb.RemoveUserGroupMembersRequest(members=members))
        # The token ends with the membership, and the next one does not carry the role.
        with pytest.raises(WaybillError) as refused:
            await before.tax_rates.ListTaxRates(tax_pb.ListTaxRatesRequest())
        assert refused.value.reason == "ROLE_MISSING"
    assert not await lists_tax_rates(sqlite_market, "tess")


async def test_a_client_that_asks_for_a_role_admits_a_user_once_a_profile_gives_it(sqlite_market: Marketplace) -> None:
    owner = sqlite_market.people.owner
    await clerk(sqlite_market, "rita")
    asking = client_pb.ApiClient(id=PORTAL, minimum_roles=["OrderReader", "PaymentAdmin"])
    await owner.api_clients.UpdateApiClient(client_pb.UpdateApiClientRequest(api_client=asking))
    with pytest.raises(WaybillError) as refused:
        await lists_tax_rates(sqlite_market, "rita")
    assert (refused.value.reason, refused.value.metadata) == ("ROLE_MISSING", {"role": "PaymentAdmin"})
    profile = profile_pb.SecurityProfile(id="cash", name="Cash office", roles=["PaymentAdmin", "TaxRateAdmin"])
    await owner.security_profiles.CreateSecurityProfile(profile_pb.CreateSecurityProfileRequest(security_profile=profile))
    assigned = [profile_pb.SecurityProfileAssignment(security_profile_id="cash", user_id="rita")]
    await owner.security_profiles.AssignSecurityProfiles(profile_pb.AssignSecurityProfilesRequest(assignments=assigned))
    assert await lists_tax_rates(sqlite_market, "rita")


async def test_a_token_names_the_groups_and_the_services_take_it(shared_sqlite_market: Marketplace) -> None:
    grant = token_pb.PasswordGrant(username="ada", password=PASSWORD)
    request = token_pb.IssueTokenRequest(client_id=SHOP, password=grant)
    answer = await shared_sqlite_market.people.ada.tokens.IssueToken(request)
    claims = jwt.decode(answer.access_token, options={"verify_signature": False})
    assert claims["groups"] == ["purchasing"]
    mine = await shared_sqlite_market.people.ada.user_groups.ListGroupsOfUser(group_pb.ListGroupsOfUserRequest())
    assert [(group.id, group.name) for group in mine.user_groups] == [("purchasing", "Purchasing")]
