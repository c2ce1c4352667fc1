"""Companies as one text, `BUYER:acme`, and as messages."""

from __future__ import annotations

from waybill.type.v1 import party_pb2

_KIND = "PARTY_KIND_"


def party_text(party: party_pb2.Party) -> str:
    """A company as one text, `BUYER:acme`; empty for an unknown kind."""
    if party.kind not in (1, 2, 3):
        return ""
    return f"{party_pb2.PartyKind.Name(party.kind).removeprefix(_KIND)}:{party.id}"


def party_message(stored: str) -> party_pb2.Party:
    """The message of a stored company."""
    kind, _, id = stored.partition(":")
    return party_pb2.Party(kind=party_pb2.PartyKind.Value(_KIND + kind), id=id)
