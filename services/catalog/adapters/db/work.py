"""The catalog's stores in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from libs.db import Tx
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey
from services.catalog.adapters.db.catalogs.assignment_store import SqlAssignmentStore
from services.catalog.adapters.db.catalogs.known_store import SqlKnownStore
from services.catalog.adapters.db.catalogs.sight_store import SqlSightStore
from services.catalog.adapters.db.choices.spec_store import SqlSpecStore
from services.catalog.adapters.db.choices.variant_store import SqlVariantStore
from services.catalog.adapters.db.products.facet_store import SqlFacetStore
from services.catalog.adapters.db.products.word_store import SqlWordStore
from services.catalog.adapters.db.suppliers.permission_store import SqlPermissionStore
from services.catalog.adapters.db.tables import REQUESTS


class SqlRequestStore:
    """Remembers requests for 30 days."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def claim(self, request: RequestKey | None, now: datetime) -> bool:
        """Records the request; False when it was made before."""
        return await outcomes.claim(self._tx, REQUESTS, request, {}, now) is None

    async def begin(self, request: RequestKey | None, now: datetime) -> Mapping[str, object] | None:
        """Records the request, whose outcome `finish` adds; the recorded outcome when it was made before."""
        return await outcomes.claim(self._tx, REQUESTS, request, {}, now)

    async def finish(self, request: RequestKey | None, outcome: Mapping[str, object]) -> None:
        """Records what came of it."""
        await outcomes.amend(self._tx, REQUESTS, request, outcome)


class SqlCatalogWork:
    """Fulfils `CatalogWork`. A store is made when it is asked for; that costs no statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    @property
    def assignments(self) -> SqlAssignmentStore:
        """Where products stand, and who is shown what."""
        return SqlAssignmentStore(self._tx)

    @property
    def known(self) -> SqlKnownStore:
        """What there is of what requests name."""
        return SqlKnownStore(self._tx)

    @property
    def sights(self) -> SqlSightStore:
        """What decides over what a buyer's user is shown."""
        return SqlSightStore(self._tx)

    @property
    def permissions(self) -> SqlPermissionStore:
        """What suppliers may do."""
        return SqlPermissionStore(self._tx)

    @property
    def words(self) -> SqlWordStore:
        """What products are found by."""
        return SqlWordStore(self._tx)

    @property
    def facets(self) -> SqlFacetStore:
        """What products are counted by."""
        return SqlFacetStore(self._tx)

    @property
    def specs(self) -> SqlSpecStore:
        """Specs, and which products have them."""
        return SqlSpecStore(self._tx)

    @property
    def variants(self) -> SqlVariantStore:
        """Variants of products."""
        return SqlVariantStore(self._tx)

    @property
    def requests(self) -> SqlRequestStore:
        """Recorded requests."""
        return SqlRequestStore(self._tx)
