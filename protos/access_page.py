"""Writes `docs/access.md`, the table of who may call what, from the contracts. Run as `python protos/access_page.py`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import EnumValueDescriptor, MethodDescriptor, ServiceDescriptor

from waybill.type.v1.access_pb2 import DESCRIPTOR, Access, Admission, DataRight
from waybill.type.v1.access_pb2 import access as option
from waybill.type.v1.party_pb2 import PartyKind

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "protos"
PAGE = ROOT / "docs" / "access.md"
HEAD = """# Who may call what

Every method names in its contract who may call it, by the option `(waybill.type.v1.access)`. The server holds each
call to it before it reads the request, and does not start while a method has none. Of several roles any is enough, and
`FullAccess` counts as each; users of a company that is not listed are refused with `PARTY_NOT_ADMITTED`, those without a role
with `ROLE_MISSING`. A service may call the methods that name it, for a user who is admitted or for nobody, and fails with
`SERVICE_NOT_ADMITTED` at all others. What is by own hand only is refused with `IMPERSONATED` to whoever acts in the place of
a user. A guest, who shops by a token for one order, calls what says so, as a user of a buyer with no role
but Shopper, and reaches that order alone; everything else is `GUEST_NOT_ADMITTED`.

Data rights say what of the marketplace such a caller reaches; nothing stands there where it reaches all that the method is about.
The rest is NOT_FOUND, or left out of lists. This page is made from the contracts by `python protos/access_page.py`.

## Data rights

| right | what is reached |
|---|---|
"""
READS = ("BatchGet", "Check", "Count", "Get", "Inspect", "List", "Quote", "Simulate", "Sum", "Validate", "Watch")
"""How the names of methods begin that change nothing."""
ROLES = """
## Roles

What each role opens, to users of the companies that the method admits. A method that any user may call is named by none. Roles
that end in `Reader` change nothing. Those that are not here open nothing by themselves: they widen what a data right reaches, or
stand in profiles for what every user may do.

| role | reads | changes |
|---|---|---|
"""


def services() -> Iterator[ServiceDescriptor]:
    """Every service, context by context."""
    for path in sorted(CONTRACTS.glob("waybill/*/v1/*_service.proto")):
        name = ".".join(path.relative_to(CONTRACTS).with_suffix("").parts) + "_pb2"
        yield from importlib.import_module(name).DESCRIPTOR.services_by_name.values()


def comments() -> dict[str, str]:
    """What the contract says of each data right."""
    lines = (CONTRACTS / DESCRIPTOR.name).read_text().splitlines()
    found: dict[str, str] = {}
    text: list[str] = []
    for line in map(str.strip, lines):
        if line.startswith("//"):
            text.append(line.removeprefix("//").strip())
            continue
        if line.startswith("DATA_RIGHT_"):
            found[line.split()[0]] = " ".join(text)
        text = []
    return found


def rights() -> Iterator[str]:
    """A row for each data right."""
    said = comments()
    values: list[EnumValueDescriptor] = DataRight.DESCRIPTOR.values
    for value in values:
        if value.number:
            yield f"| `{short(value.name)}` | {said[value.name]} |"


def short(name: str) -> str:
    """A value of an enum without its prefix."""
    return name.removeprefix("DATA_RIGHT_").removeprefix("PARTY_KIND_")


def rows(method: MethodDescriptor) -> Iterator[str]:
    """Who may call one method: a row for each kind of companies that reaches something else."""
    access: Access = method.GetOptions().Extensions[option]
    if access.open:
        yield f"| `{method.name}` | everyone, without a token | | |{services_of(access)} |"
    if access.service_only:
        yield f"| `{method.name}` | no user | | |{services_of(access)} |"
    for i, admission in enumerate(access.admits):
        name, also = ("", "") if i else (f" `{method.name}`", services_of(access))
        hand = ", by own hand only" if access.own_hand else ""
        guest = ", guests too" if access.guests and PartyKind.Value("PARTY_KIND_BUYER") in admission.parties else ""
        yield f"|{name} | {parties(admission)}{guest}{hand} | {roles(admission)} |{reached(admission)} |{also} |"


def parties(admission: Admission) -> str:
    """Kinds of companies."""
    return ", ".join(short(PartyKind.Name(kind)) for kind in admission.parties)


def roles(admission: Admission) -> str:
    """Roles, any of which is enough."""
    return ", ".join(admission.any_of_roles) or "any user"


def services_of(access: Access) -> str:
    """Names of the services that may call."""
    return f" {', '.join(access.services)}" if access.services else ""


def reached(admission: Admission) -> str:
    """Data rights."""
    return "".join(f" `{short(DataRight.Name(right))}`" for right in admission.data_rights)


def of_roles() -> str:
    """A row for each role that a method names: what it reads and what it changes."""
    read: dict[str, list[str]] = {}
    changed: dict[str, list[str]] = {}
    for service in services():
        for method in service.methods:
            access: Access = method.GetOptions().Extensions[option]
            into = read if method.name.startswith(READS) else changed
            for role in sorted({role for admission in access.admits for role in admission.any_of_roles}):
                into.setdefault(role, []).append(f"`{service.name.removesuffix('Service')}.{method.name}`")
    lines = (
        f"| {role} | {' '.join(read.get(role, ()))} | {' '.join(changed.get(role, ()))} |" for role in sorted({*read, *changed})
    )
    return ROLES + "\n".join(lines) + "\n"


def table(service: ServiceDescriptor) -> str:
    """One service as a section of the page."""
    lines = "\n".join(line for method in service.methods for line in rows(method))
    name = service.full_name.removeprefix("waybill.")
    return f"\n## {name}\n\n| method | parties | roles | data rights | services |\n|---|---|---|---|---|\n{lines}\n"


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(rights()) + "\n" + of_roles() + "".join(table(service) for service in services())


def main() -> int:
    """Writes the page."""
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
