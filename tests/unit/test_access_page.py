"""The page of who may call what is the one that the contracts make."""

import re
import runpy
from pathlib import Path

from tests.support.contracts import services

ROOT = Path(__file__).parents[2]
MADE_BY = ROOT / "protos" / "access_page.py"


def test_the_page_of_access_is_up_to_date_and_has_every_method() -> None:
    made = runpy.run_path(str(MADE_BY))["page"]()
    written = (ROOT / "docs" / "access.md").read_text()
    assert written == made, "run `python protos/access_page.py`"
    for service in services():
        assert f"\n## {service.full_name.removeprefix('waybill.')}\n" in made
        assert all(f"\n| `{method.name}` | " in made for method in service.methods)
    assert (
        "\n| `QuoteLines` | SELLER | any user | | |\n| | BUYER, guests too | any user | `VISIBLE_PRODUCTS` `OWN_PRICES` | |\n"
        in made
    )
    assert "\n| `CompleteOrder` | SELLER | OrderAdmin | | |\n" in made
    assert "\n| `BatchGetProducts` | SELLER | any user | | fulfillment, order, pricing |\n" in made
    assert "\n| | BUYER, by own hand only | UserAdmin, BuyerUserAdmin | `OWN_COMPANY` `HELD_ROLES` | |\n" in made
    assert "\n| TaxRateReader | `TaxRate.GetTaxRate` `TaxRate.ListTaxRates` |  |\n" in made
    readers = [line for line in made.splitlines() if re.match(r"\| \w+Reader \|", line)]
    assert readers
    assert [line for line in readers if not line.endswith("` |  |")] == [], "readers that change something, or read nothing"
    assert "\n| `ConfirmPayments` | no user | | | order |\n" in made


def test_no_option_has_a_list_of_messages() -> None:
    """Such a field stands once for each message: protobuf.js, which Node's clients read contracts with, knows no other form."""
    contracts = sorted((ROOT / "protos" / "waybill").rglob("*.proto"))
    assert contracts
    assert [str(path) for path in contracts if re.search(r"\[\s*\{", path.read_text())] == []
