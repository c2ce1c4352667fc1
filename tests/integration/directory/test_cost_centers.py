"""Cost centers of buyers, who may use them, and what an order hears of them."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.directory.test_deletes import buyer_goes, used_by, user_goes
from tests.integration.directory.world import group, member
from tests.support.principals import buyer, seller, supplier
from waybill.directory.v1 import cost_center_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2 as contexts
from waybill.directory.v1 import user_group_service_pb2 as groups

KEEPER = buyer(roles.COST_CENTER_ADMIN, user="anna")


async def refused(attempt) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def violations(error: WaybillError) -> list[tuple[str, str]]:
    return [(found.field, found.reason) for found in error.fields]


def center(id: str, buyer_id: str = "acme", **more) -> pb.CostCenter:
    return pb.CostCenter(**{"id": id, "name": id, "buyer_id": buyer_id, "active": True, **more})


def making(stubs, *made, **more):
    return stubs.cost_centers.BatchCreateCostCenters(pb.BatchCreateCostCentersRequest(cost_centers=made, **more))


def to(id: str, user: str = "", group: str = "") -> pb.CostCenterAssignment:
    return pb.CostCenterAssignment(cost_center_id=id, user_id=user, user_group_id=group)


def assigning(stubs, *items, **more):
    return stubs.cost_centers.AssignCostCenters(pb.AssignCostCentersRequest(assignments=items, **more))


def unassigning(stubs, *items, **more):
    return stubs.cost_centers.UnassignCostCenters(pb.UnassignCostCentersRequest(assignments=items, **more))


def goes(stubs, id, **more):
    return stubs.cost_centers.DeleteCostCenter(pb.DeleteCostCenterRequest(cost_center_id=id, **more))


async def assigned(stubs, **more) -> list[tuple[str, str]]:
    answer = await stubs.cost_centers.ListCostCenterAssignments(pb.ListCostCenterAssignmentsRequest(**more))
    return [(item.cost_center_id, item.user_id + item.user_group_id) for item in answer.assignments]


async def usable(stubs, **more) -> list[str]:
    answer = await stubs.cost_centers.ListMyCostCenters(pb.ListMyCostCentersRequest(order_by="id", **more))
    return [item.id for item in answer.cost_centers]


async def ordering(world, user="anna", ids=(), buyer_id="acme", **more) -> tuple[bool, list[str]]:
    asked = contexts.GetOrderingContextRequest(buyer_id=buyer_id, user_id=user, cost_center_ids=ids, **more)
    answer = await world.contexts.GetOrderingContext(asked)
    return answer.has_cost_centers, sorted(answer.cost_center_ids)


async def furnished(world):
    """Acme has a cost center for everyone, one of a group, of a user, of nobody, and one that is not active; Globex has one."""
    await world.companies()
    await world.people()
    await world.groups(group("buyers"))
    await world.join(member("buyers", "anna"))
    mine = [center("all"), center("crew"), center("bobs"), center("nobodys"), center("old", active=False)]
    await making(world.admin, *mine, center("theirs", "globex"))
    given = [to("all"), to("crew", group="buyers"), to("bobs", "bob"), to("old"), to("theirs")]
    await assigning(world.admin, *given)
    return world.admin


async def test_a_cost_center_is_made_changed_listed_and_deleted(world):
    await world.companies()
    admin = world.admin
    made = await making(admin, center("ops", description="Running costs."), center("", name="Nameless"), request_id="r")
    assert await making(admin, center("ops", description="Running costs."), center("", name="Nameless"), request_id="r") == made
    assert made.cost_centers[1].id.startswith("cce")
    changed = pb.CostCenter(id="ops", name="Operations", etag="1")
    request = pb.UpdateCostCenterRequest(cost_center=changed, update_mask=FieldMask(paths=["name"]))
    answer = (await admin.cost_centers.UpdateCostCenter(request)).cost_center
    assert (answer.name, answer.description, answer.active, answer.etag) == ("Operations", "Running costs.", True, "2")
    assert (await refused(admin.cost_centers.UpdateCostCenter(request))).reason == "ETAG_MISMATCH"
    moved = pb.UpdateCostCenterRequest(cost_center=pb.CostCenter(id="ops", buyer_id="globex"))
    assert violations(await refused(admin.cost_centers.UpdateCostCenter(moved))) == [("cost_center.buyer_id", "FIELD_INVALID")]
    listing = pb.ListCostCentersRequest(filter='buyer_id = "acme" AND name:"pera" AND active = true', include_total=True)
    page = await admin.cost_centers.ListCostCenters(listing)
    assert ([item.id for item in page.cost_centers], page.total_size) == (["ops"], 1)
    await goes(admin, "ops", request_id="d")
    await goes(admin, "ops", request_id="d")
    assert (await refused(making(admin, center("ops")))).reason == "ID_OF_DELETED"
    assert (await refused(making(admin, center("x", "nowhere")))).fields[0].reason == "PARTY_NOT_FOUND"


async def test_what_is_wrong_with_assignments_is_named_all_at_once(world):
    admin = await furnished(world)
    wrong = [
        to("nowhere"),
        to("all", "gil"),
        to("all", group="nobodys"),
        to("all", "bob", "buyers"),
        to("all"),
        to("all"),
        to(""),
    ]
    assert violations(await refused(assigning(admin, *wrong))) == [
        ("assignments[6].cost_center_id", "FIELD_REQUIRED"),
        ("assignments[3].user_group_id", "FIELD_INVALID"),
        ("assignments[5]", "DUPLICATE_ITEM"),
        ("assignments[0].cost_center_id", "COST_CENTER_NOT_FOUND"),
        ("assignments[1].user_id", "USER_NOT_FOUND"),
        ("assignments[2].user_group_id", "USER_GROUP_NOT_FOUND"),
    ]
    assert violations(await refused(assigning(admin))) == [("assignments", "FIELD_REQUIRED")]
    assert violations(await refused(assigning(admin, *[to("all")] * 1_001)))[0] == ("assignments", "TOO_MANY_ITEMS")


async def test_assignments_stand_until_they_are_taken_back_and_keep_what_they_name(world):
    admin = await furnished(world)
    await assigning(admin, to("all"), to("nobodys", "anna"), request_id="a")
    await assigning(admin, to("all"), to("nobodys", "anna"), request_id="a")
    assert await assigned(admin, filter='user_id = "anna"') == [("nobodys", "anna")]
    first = await admin.cost_centers.ListCostCenterAssignments(pb.ListCostCenterAssignmentsRequest(page_size=4))
    rest = await assigned(admin, page_size=4, page_token=first.next_page_token)
    assert (len(first.assignments), rest) == (4, [("old", ""), ("theirs", "")])
    assert await used_by(goes(admin, "nobodys")) == "cost center assignment: 1 (anna)"
    assert await used_by(user_goes(admin)) == "cost center assignment: 1 (nobodys)"
    gone = groups.DeleteUserGroupRequest(user_group_id="buyers")
    await admin.groups.RemoveUserGroupMembers(groups.RemoveUserGroupMembersRequest(members=[member("buyers", "anna")]))
    assert await used_by(admin.groups.DeleteUserGroup(gone)) == "cost center assignment: 1 (crew)"
    await unassigning(admin, to("nobodys", "anna"), to("crew", group="buyers"), to("nowhere"))
    await admin.groups.DeleteUserGroup(gone)
    await goes(admin, "nobodys")
    await user_goes(admin)


async def test_a_buyer_stays_while_it_has_cost_centers(world):
    await world.companies()
    await making(world.admin, center("ops"))
    assert await used_by(buyer_goes(world.admin)) == "cost center: 1 (ops)"
    await goes(world.admin, "ops")
    await buyer_goes(world.admin)


async def test_a_user_lists_what_its_orders_may_name(world):
    await furnished(world)
    for user, ids in (("anna", ["all", "crew"]), ("bob", ["all", "bobs"])):
        assert await usable(world.calls(buyer(user=user))) == ids
    assert await usable(world.calls(buyer(user="anna")), filter='name = "crew"') == ["crew"]


async def test_of_another_company_nothing_is_there(world):
    await furnished(world)
    stubs = world.calls(KEEPER)
    for call in (
        stubs.cost_centers.GetCostCenter(pb.GetCostCenterRequest(cost_center_id="theirs")),
        stubs.cost_centers.UpdateCostCenter(pb.UpdateCostCenterRequest(cost_center=pb.CostCenter(id="theirs", name="Mine"))),
        goes(stubs, "theirs"),
        making(stubs, center("new", "globex")),
    ):
        assert (await refused(call)).kind is Kind.MISSING
    theirs, nowhere = [await refused(assigning(stubs, to(id))) for id in ("theirs", "nowhere")]
    assert (theirs.fields, theirs.metadata) == (nowhere.fields, nowhere.metadata)
    await unassigning(stubs, to("theirs"))
    assert ("theirs", "") in await assigned(world.admin)
    assert {id for id, _ in await assigned(stubs)} == {"all", "crew", "bobs", "old"}
    page = await stubs.cost_centers.ListCostCenters(pb.ListCostCentersRequest(include_total=True))
    assert page.total_size == 5


async def test_who_has_no_role_writes_none_and_readers_only_read(world):
    await furnished(world)
    for caller in (buyer(), buyer(roles.COST_CENTER_READER), seller(roles.COST_CENTER_READER)):
        stubs = world.calls(caller)
        for call in (making(stubs, center("x")), assigning(stubs, to("all")), goes(stubs, "all"), unassigning(stubs, to("all"))):
            assert (await refused(call)).reason == "ROLE_MISSING"
    assert (await refused(assigned(world.calls(buyer())))).reason == "ROLE_MISSING"
    assert len(await assigned(world.calls(buyer(roles.COST_CENTER_READER)))) == 4
    assert (await refused(usable(world.calls(supplier(roles.COST_CENTER_ADMIN))))).reason == "PARTY_NOT_ADMITTED"


async def test_an_order_hears_which_of_the_named_ones_its_user_may_use(world):
    await furnished(world)
    named = ["all", "crew", "bobs", "nobodys", "old", "theirs", "nowhere", "no id", "all"]
    assert await ordering(world, "anna", named) == (True, ["all", "crew"])
    assert await ordering(world, "bob", named) == (True, ["all", "bobs"])
    assert await ordering(world, "anna", named, guest=True) == (True, ["all"])
    assert await ordering(world, "anna") == (True, [])
    assert await ordering(world, "gil", named, "globex") == (True, ["theirs"])
    await unassigning(world.admin, to("theirs"))
    await goes(world.admin, "theirs")
    assert await ordering(world, "gil", named, "globex") == (False, [])


async def test_a_buyer_has_cost_centers_even_if_none_is_active(world):
    await world.companies()
    await world.people()
    await making(world.admin, center("old", active=False))
    assert await ordering(world, "anna", ["old"]) == (True, [])


async def test_the_number_of_statements_does_not_depend_on_the_cost_centers(world):
    await furnished(world)

    async def spent(ids) -> int:
        before = world.served.statements
        await ordering(world, "anna", ids)
        return world.served.statements - before

    await spent(["all"])
    few = await spent(["all"])
    assert await spent(["all", "crew", *(f"c{i}" for i in range(4_000))]) == few
    error = await refused(ordering(world, "anna", [f"c{i}" for i in range(5_001)]))
    assert violations(error) == [("cost_center_ids", "TOO_MANY_ITEMS")]
