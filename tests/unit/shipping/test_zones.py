import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shipping.domain.zones import NOWHERE, Destination, ZoneIndex, postal
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
        found = ZoneIndex(order).find(to)
        assert (found.id if found else None) == wins


def holds(place: tuple[str, str, str], to: Destination) -> bool:
    return ZoneIndex([zone("z", place)]).find(to) is not None


def test_postal_codes_are_compared_without_case_spaces_and_hyphens():
    london = Destination("x", "GB", "", "sw1a 1aa")
    assert holds(("GB", "", "SW1A1"), london)
    assert holds(("GB", "", "S-W 1A"), london)
    assert not holds(("GB", "", "SW2"), london)


def test_a_region_is_compared_without_case():
    assert holds(("US", "Ca", ""), LOS_ANGELES)
    assert not holds(("US", "C", ""), LOS_ANGELES)


def test_all_set_fields_of_a_place_must_match():
    assert not holds(("US", "NV", "900"), LOS_ANGELES)
    assert not holds(("CA", "", "900"), LOS_ANGELES)


def plainly(zones, to):
    """The rule as it is written: every place of every zone compared with the destination."""
    region, code = to.region.strip().casefold(), postal(to.postal_code)
    matches = [
        ((-len(p.postal_prefix), not p.region, not p.country), z.id)
        for z in zones
        for p in z.places
        if p.country in ("", to.country) and p.region in ("", region) and code.startswith(p.postal_prefix)
    ]
    return min(matches)[1] if matches else None


COUNTRIES, REGIONS = st.sampled_from(("", "US", "DE")), st.sampled_from(("", "CA", " ca", "BE"))
CODES = st.text("1 9a-A", max_size=4)
PLACES = st.lists(st.tuples(COUNTRIES, REGIONS, CODES), min_size=1, max_size=3)


@given(st.lists(PLACES, max_size=6), COUNTRIES, REGIONS, CODES)
def test_looking_up_finds_what_comparing_with_every_place_finds(places, country, region, code):
    zones, to = [zone(f"z{n}", *of) for n, of in enumerate(places)], Destination("x", country, region, code)
    found = ZoneIndex(zones).find(to)
    assert (found.id if found else None) == plainly(zones, to)


def test_a_region_is_one_however_its_characters_are_composed():
    assert holds(("CA", "Que\u0301bec", ""), Destination("", "CA", "QUÉBEC", "G1A"))
    assert holds(("JP", "", "100"), Destination("", "JP", "", "１００－０００１"))
