"""What a line that is asked for may say."""

from datetime import datetime, timedelta

import pytest

from libs.errors import Violations, WaybillError
from services.order.domain.building.drafts import check_date_needed
from tests.unit.order.builders import NOW


@pytest.mark.parametrize("needed", [None, NOW - timedelta(hours=20), NOW + timedelta(days=3_650)])
def test_a_line_is_needed_from_today_to_ten_years_ahead(needed: datetime | None) -> None:
    found = Violations()
    check_date_needed(found, "line_items[0]", needed, NOW)
    found.raise_if_any()


@pytest.mark.parametrize("needed", [NOW - timedelta(days=2), NOW.replace(year=1026), NOW.replace(year=9026)])
def test_a_date_of_long_ago_or_of_another_age_is_a_mistake(needed: datetime) -> None:
    found = Violations()
    check_date_needed(found, "line_items[0]", needed, NOW)
    with pytest.raises(WaybillError) as refused:
        found.raise_if_any()
    assert (refused.value.reason, refused.value.metadata) == ("VALUE_OUT_OF_RANGE", {"field": "line_items[0].date_needed"})
