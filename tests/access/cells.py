"""The expected cells, read from the tables of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from libs.auth import PartyKind
from services.host.contexts import CONTEXTS

FOLDER = Path(__file__).parent
PARTIES = (PartyKind.SELLER, PartyKind.BUYER, PartyKind.SUPPLIER)
"""In the order of the columns."""


@dataclass(frozen=True, slots=True)
class Row:
    """Who may call one method, as it is meant."""

    method: str
    """Its path, such as `/waybill.order.v1.OrderService/GetOrder`."""
    admits: Mapping[PartyKind, tuple[str, ...]]
    """By kind of company: roles, any of which is enough, and none for every user."""
    services: frozenset[str]
    """The services that may call."""
    open: bool
    """Whether it needs no token."""

    @property
    def context(self) -> str:
        """Which part of the marketplace has it."""
        return self.method.split(".")[1]

    @property
    def service(self) -> str:
        """The service of the contracts that it belongs to, such as `OrderService`."""
        return self.method.split("/")[1].rpartition(".")[2]

    @property
    def service_only(self) -> bool:
        """Whether no user may call."""
        return not self.admits and not self.open


def split(cell: str) -> tuple[str, ...]:
    """What a cell names."""
    return tuple(part.strip() for part in cell.split(",") if part.strip())


def tables(name: str) -> Iterator[tuple[str, list[str]]]:
    """Every row of every table of a page, with the heading that it stands under; heads of tables are left out."""
    heading, head = "", True
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").strip()
        if not line.startswith("|"):
            head = True
        elif line.startswith("|---"):
            head = False
        elif not head:
            yield heading, [cell.strip() for cell in line.strip().strip("|").split("|")]


def guests() -> frozenset[str]:
    """Methods that a guest may call, of `calls.md`."""
    found = set()
    for heading, cells in tables("calls.md"):
        if heading == "Guests":
            service, _, methods = cells[0].partition(": ")
            context, _, name = service.partition(".")
            found.update(f"/waybill.{context}.v1.{name}/{method}" for method in split(methods))
    return frozenset(found)


def rows() -> list[Row]:
    """Of `calls.md`."""
    found, service = [], ""
    for context, cells in tables("calls.md"):
        if cells[0].startswith("**"):
            service = f"waybill.{context}.v1.{cells[0].strip('*')}"
        elif len(cells) == 5:
            method, *by_party, services = cells
            admits = {
                party: () if cell == "any" else split(cell)
                for party, cell in zip(PARTIES, by_party, strict=True)
                if cell not in ("", "-", "open")
            }
            called_by = frozenset(CONTEXTS if services == "all" else split(services))
            found.append(Row(f"/{service}/{method}", admits, called_by, "open" in by_party))
    return found


def roles_of_data() -> set[str]:
    """Roles of `calls.md` that admit to no call by themselves."""
    return {cells[0] for _, cells in tables("calls.md") if len(cells) == 2}


def fields_of_page() -> dict[str, dict[frozenset[PartyKind], tuple[str, ...]]]:
    """Of `fields.md`: by heading, and by the parties that see them, names of fields. Nobody sees what is never set."""
    found: dict[str, dict[frozenset[PartyKind], tuple[str, ...]]] = {}
    for heading, (who, names) in tables("fields.md"):
        parties = frozenset(kind for kind in PARTIES if kind.value.lower() in split(who))
        found.setdefault(heading, {})[parties] = tuple(names.split())
    return found
