"""Whom an API client admits, as its values say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.directory.domain.tokens.grants import ClientAccess


def access_of(values: Mapping[str, Any]) -> ClientAccess:
    """Of the values of a client, as it is or would become."""
    return ClientAccess(
        active=values["active"],
        default_user_id=values["default_user_id"],
        roles=values["roles"],
        seller=values["allow_seller"],
        any_buyer=values["allow_any_buyer"],
        any_supplier=values["allow_any_supplier"],
        buyer_ids=values["buyer_ids"],
        supplier_ids=values["supplier_ids"],
        minimum_roles=values["minimum_roles"],
        refreshes=values["refresh_token_minutes"] > 0,
        anonymous_user_id=values["anonymous_user_id"],
    )
