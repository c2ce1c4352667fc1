"""The directory's stores in one transaction."""

from __future__ import annotations

from libs.db import Tx
from services.directory.adapters.db.address_book.address_books import SqlAddressBooks
from services.directory.adapters.db.audit_trail import SqlAuditTrail
from services.directory.adapters.db.channels.client_secrets import SqlClientSecrets
from services.directory.adapters.db.cost_centers.cost_centers import SqlCostCenters
from services.directory.adapters.db.parties.parties import SqlParties
from services.directory.adapters.db.people.memberships import SqlSecurityProfiles, SqlUserGroups
from services.directory.adapters.db.people.messages import SqlMessages
from services.directory.adapters.db.people.registrations import SqlRegistrations
from services.directory.adapters.db.people.users import SqlUsers
from services.directory.adapters.db.requests import SqlRequests
from services.directory.adapters.db.tokens.refresh_tokens import SqlRefreshTokens
from services.directory.adapters.db.tokens.revocations import SqlRevocations
from services.directory.adapters.db.tokens.signing_keys import SqlSigningKeys


class SqlDirectoryWork:
    """Fulfils `DirectoryWork`. A store is made when it is asked for; that costs no statement."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    @property
    def requests(self) -> SqlRequests:
        """Recorded outcomes."""
        return SqlRequests(self._tx)

    @property
    def parties(self) -> SqlParties:
        """Companies and their members."""
        return SqlParties(self._tx)

    @property
    def users(self) -> SqlUsers:
        """Names and secrets of users."""
        return SqlUsers(self._tx)

    @property
    def client_secrets(self) -> SqlClientSecrets:
        """Secrets of API clients."""
        return SqlClientSecrets(self._tx)

    @property
    def signing_keys(self) -> SqlSigningKeys:
        """Keys that sign tokens."""
        return SqlSigningKeys(self._tx)

    @property
    def revocations(self) -> SqlRevocations:
        """What ends tokens."""
        return SqlRevocations(self._tx)

    @property
    def refresh_tokens(self) -> SqlRefreshTokens:
        """What refresh tokens stand for."""
        return SqlRefreshTokens(self._tx)

    @property
    def trail(self) -> SqlAuditTrail:
        """The log of administrative acts."""
        return SqlAuditTrail(self._tx)

    @property
    def registrations(self) -> SqlRegistrations:
        """Users that wait to be confirmed."""
        return SqlRegistrations(self._tx)

    @property
    def messages(self) -> SqlMessages:
        """Messages to people."""
        return SqlMessages(self._tx)

    @property
    def books(self) -> SqlAddressBooks:
        """Address books and assignments."""
        return SqlAddressBooks(self._tx)

    @property
    def groups(self) -> SqlUserGroups:
        """Groups and who is in them."""
        return SqlUserGroups(self._tx)

    @property
    def profiles(self) -> SqlSecurityProfiles:
        """Security profiles and who has them."""
        return SqlSecurityProfiles(self._tx)

    @property
    def cost_centers(self) -> SqlCostCenters:
        """Who may use which cost center."""
        return SqlCostCenters(self._tx)
