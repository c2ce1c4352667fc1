"""Every stored table is in the feed of changes of its context, or is named as inner with a reason."""

from __future__ import annotations

import pytest

from libs.relay.changes import keeps_changes
from tests.support.feed_contents import CONTENTS, RESOURCES, Inner, Part
from tests.unit.test_watched import SERVICES


@pytest.mark.parametrize("context", SERVICES)
def test_every_table_is_a_resource_of_the_feed_a_part_of_one_or_inner_for_a_reason(context: str) -> None:
    metadata, _ = SERVICES[context]
    contents = CONTENTS[context]

    assert set(contents) == set(metadata.tables)
    assert {one.of for one in contents.values() if isinstance(one, Part)} <= RESOURCES[context]
    assert all(one.reason for one in contents.values() if isinstance(one, Inner))
    # The events of orders are their feed.
    assert keeps_changes(metadata) or context == "order"
