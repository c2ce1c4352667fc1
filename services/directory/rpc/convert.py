"""Between the directory's messages and its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs import protoconv
from libs.auth import Principal
from libs.errors import Violations
from libs.ids import IdSource
from services.directory.contract.parties import party_message, party_text
from services.directory.domain.access import require_party
from services.directory.domain.address_book.addresses import Assignment, Entry
from services.directory.domain.people.memberships import Group, Membership, ProfileAssignment
from waybill.directory.v1 import address_service_pb2 as pb
from waybill.directory.v1 import reasons
from waybill.directory.v1 import security_profile_service_pb2 as profile_pb
from waybill.directory.v1 import user_group_service_pb2 as group_pb
from waybill.type.v1.address_pb2 import Address

BATCH = 1_000
"""Most items of one call."""


def counted(field: str, items: Sequence[object]) -> Violations:
    """Notes a list that has no items, or too many."""
    found = Violations()
    found.require(field, len(items) <= BATCH, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
    found.require(field, bool(items), reasons.FIELD_REQUIRED, "at least one")
    return found


def id_in(field: str, value: str) -> str:
    """The id that a request names."""
    found = Violations()
    found.check_id(field, value)
    found.raise_if_any()
    return value


def book_in(found: Violations, field: str, caller: Principal, party: Any) -> str:
    """Whose book: the caller's own unless given. Raises NOT_FOUND for one that the caller may not see."""
    if not party.id and not party.kind:
        return f"{caller.party_kind.value}:{caller.party_id}"
    found.check_id(f"{field}.id", party.id)
    stored = party_text(party)
    found.require(f"{field}.kind", bool(stored), reasons.FIELD_REQUIRED, "is required")
    if stored and party.id:
        require_party(caller, *stored.split(":", 1))
    return stored


def entry_in(found: Violations, field: str, caller: Principal, message: pb.AddressEntry, ids: IdSource, now: Any) -> Entry:
    """A new entry; an empty id is generated."""
    address = protoconv.address_in(found, f"{field}.address", message.address)
    address["id"] = address.get("id") or ids.public("adr")
    found.check_id(f"{field}.user_id", message.user_id, required=False)
    return Entry(
        party=book_in(found, f"{field}.party", caller, message.party),
        id=address["id"],
        user_id=message.user_id,
        address=address,
        create_time=now,
        update_time=now,
        xp=protoconv.xp_in(found, f"{field}.xp", message.xp),
    )


def entry_out(entry: Entry) -> pb.AddressEntry:
    """An entry as callers see it."""
    return pb.AddressEntry(
        party=party_message(entry.party),
        address=Address(**entry.address),
        user_id=entry.user_id,
        xp=protoconv.xp_out(entry.xp),
        etag=str(entry.version),
        create_time=protoconv.time_out(entry.create_time),
        update_time=protoconv.time_out(entry.update_time),
    )


def assignment_in(found: Violations, field: str, caller: Principal, message: pb.AddressAssignment) -> tuple[str, Assignment]:
    """Company and assignment."""
    found.check_id(f"{field}.address_id", message.address_id)
    found.check_id(f"{field}.user_id", message.user_id, required=False)
    found.check_id(f"{field}.user_group_id", message.user_group_id, required=False)
    book = book_in(found, f"{field}.party", caller, message.party)
    return book, Assignment(message.address_id, message.user_id, message.shipping, message.billing, message.user_group_id)


def assignment_out(party: str, item: Assignment) -> pb.AddressAssignment:
    """An assignment as callers see it."""
    return pb.AddressAssignment(
        party=party_message(party),
        address_id=item.address_id,
        user_id=item.user_id,
        user_group_id=item.group_id,
        shipping=item.shipping,
        billing=item.billing,
    )


def member_in(found: Violations, field: str, message: group_pb.UserGroupMember) -> Membership:
    """A membership that a request names."""
    found.check_id(f"{field}.user_group_id", message.user_group_id)
    found.check_id(f"{field}.user_id", message.user_id)
    return Membership(message.user_group_id, message.user_id)


def group_out(group: Group) -> group_pb.UserGroup:
    """A group as callers see it."""
    return group_pb.UserGroup(
        id=group.id,
        party=party_message(group.party),
        name=group.name,
        description=group.description,
        xp=protoconv.xp_out(group.xp),
        etag=str(group.version),
        create_time=protoconv.time_out(group.create_time),
        update_time=protoconv.time_out(group.update_time),
    )


def profile_assignment_in(found: Violations, field: str, message: profile_pb.SecurityProfileAssignment) -> ProfileAssignment:
    """An assignment of a profile that a request names."""
    found.check_id(f"{field}.security_profile_id", message.security_profile_id)
    kind, party = message.WhichOneof("assignee"), ""
    found.require(f"{field}.assignee", kind is not None, reasons.FIELD_REQUIRED, "is required")
    if kind == "party":
        found.check_id(f"{field}.party.id", message.party.id)
        text = party_text(message.party)
        found.require(f"{field}.party.kind", bool(text), reasons.FIELD_REQUIRED, "is required")
        party = text if message.party.id else ""
    elif kind is not None:
        found.check_id(f"{field}.{kind}", getattr(message, kind))
    return ProfileAssignment(message.security_profile_id, party, message.user_group_id, message.user_id)


def profile_assignment_out(item: ProfileAssignment) -> profile_pb.SecurityProfileAssignment:
    """An assignment of a profile as callers see it."""
    made = profile_pb.SecurityProfileAssignment(security_profile_id=item.profile_id)
    if item.party:
        made.party.CopyFrom(party_message(item.party))
    elif item.group_id:
        made.user_group_id = item.group_id
    else:
        made.user_id = item.user_id
    return made
