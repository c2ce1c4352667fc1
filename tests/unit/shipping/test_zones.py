import pytest

from services.shipping.domain.zones import NOWHERE, Destination, most_specific
from tests.unit.shipping.builders import BERLIN, LOS_ANGELES, zone

WORLD = zone("world")
US = zone("us", ("US", "", ""))
CALIFORNIA = zone("california", ("US", "ca ", ""))
LA = zone("la", ("US", "", "90-0"))
WEST = zone("west", ("US", "OR", ""), ("US", "WA", ""), ("US", "CA", ""))


@pytest.mark.parametrize(
    ("zones", "to", "wins"),
    [
        ([WORLD, US, CALIFORNIA, LA], LOS_ANGELES, "la"),
        ([WORLD, US, CALIFORNIA], LOS_ANGELES, "california"),
        ([US, WORLD], LOS_ANGELES, "us"),
        ([US, WORLD, LA], BERLIN, "world"),
        ([US, LA, CALIFORNIA], BERLIN, None),
        ([WEST, CALIFORNIA], LOS_ANGELES, "california"),
        ([zone("a90", ("US", "", "90")), zone("a9", ("US", "", "9"))], LOS_ANGELES, "a90"),
        ([WORLD], NOWHERE, "world"),
        ([US], NOWHERE, None),
        ([], LOS_ANGELES, None),
    ],
)
def test_the_most_specific_match_wins(zones, to, wins):
    for order in (zones, zones[::-1]):
        found = most_specific(order, to)
        assert (found.id if found else None) == wins


def test_postal_codes_are_compared_without_case_spaces_and_hyphens():
    london = Destination("x", "GB", "", "sw1a 1aa")
    assert zone("z", ("GB", "", "SW1A1")).match(london) == (5, 0, 1)
    assert zone("z", ("GB", "", "S-W 1A")).match(london) == (4, 0, 1)
    assert zone("z", ("GB", "", "SW2")).match(london) is None


def test_a_region_is_compared_without_case():
    assert zone("z", ("US", "Ca", "")).match(LOS_ANGELES) == (0, 1, 1)
    assert zone("z", ("US", "C", "")).match(LOS_ANGELES) is None


def test_all_set_fields_of_a_place_must_match():
    assert zone("z", ("US", "NV", "900")).match(LOS_ANGELES) is None
    assert zone("z", ("CA", "", "900")).match(LOS_ANGELES) is None
