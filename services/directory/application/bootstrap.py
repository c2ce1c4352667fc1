"""The first start: the marketplace's owner, an API client for it, and a secret that is shown once."""

from __future__ import annotations

from dataclasses import dataclass

ADMIN_CLIENT = "waybill-admin"
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class OneTimeSecret:
    """What the owner signs in with; it cannot be shown again."""

    client_id: str
    client_secret: str
    username: str
