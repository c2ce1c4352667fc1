"""Builds the directory service, and sets an empty one up."""

# Long because it names every service of the directory once, beside what sets it up.

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from libs.audit.log import SqlAuditLog
from libs.auth.keys import KeyChanges
from libs.clock import Clock
from libs.db import Database
from libs.db.invariants import with_rules
from libs.db.migrate import open_migrated
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.idempotency.invariants import with_effects
from libs.idempotency.outcomes import forgetting
from libs.ids import IdSource, new_id
from libs.invariants import Inspection as AnyInspection
from libs.relay.change_feed import SqlChangeFeed
from libs.resource.database import Resource, StandardMethods
from libs.sealing import FindKeys
from libs.service.app import Runtime, ServiceApp
from services.directory.adapters.db.address_book.address_lists import SqlAddressLists
from services.directory.adapters.db.cost_centers.cost_centers import SqlCostCenterLists
from services.directory.adapters.db.first_rows import first_rows, is_empty, renew_key, store
from services.directory.adapters.db.invariants.census import CensusReader
from services.directory.adapters.db.invariants.rules import look
from services.directory.adapters.db.parties.contexts import SqlContexts
from services.directory.adapters.db.people import messages, registrations
from services.directory.adapters.db.people.membership_lists import SqlMembershipLists
from services.directory.adapters.db.people.messages import SqlMessageLists
from services.directory.adapters.db.resources import (
    BUYER,
    CLIENT,
    COST_CENTER,
    GROUP,
    MADE,
    OWN_USER,
    PROFILE,
    SELLER,
    SUPPLIER,
    USABLE_COST_CENTER,
    USER,
)
from services.directory.adapters.db.tables import AUDIT, CHANGES, REQUESTS, REVOCATIONS
from services.directory.adapters.db.tokens import refresh_tokens, sign_in_addresses
from services.directory.adapters.db.tokens.accounts import SqlAccounts
from services.directory.adapters.db.tokens.revocations import SqlRevocationLists
from services.directory.adapters.db.tokens.sealing import drop_keys, seal_stored
from services.directory.adapters.db.tokens.sign_ins import SqlSignIns
from services.directory.adapters.db.tokens.signing_keys import SqlKeyRing
from services.directory.adapters.db.work import SqlDirectoryWork
from services.directory.adapters.key_material import RsaKeys
from services.directory.adapters.passwords import Argon2
from services.directory.application.address_book.address_assignments import AddressAssignments
from services.directory.application.address_book.addresses import Addresses
from services.directory.application.bootstrap import ADMIN_CLIENT, OWNER, OneTimeSecret
from services.directory.application.channels.secrets import ClientSecretUseCases, replace_others
from services.directory.application.cost_centers.cost_centers import CostCenterAssignments
from services.directory.application.inspection import Inspection
from services.directory.application.people.change_password import ChangePassword
from services.directory.application.people.messages import MarkMessagesSent
from services.directory.application.people.registration import ConfirmRegistration, Desk, KeepRegistration, Register
from services.directory.application.people.registration_limits import RegistrationThrottle
from services.directory.application.people.security_profiles import SecurityProfileAssignments
from services.directory.application.people.user_groups import UserGroupMembers
from services.directory.application.people.users import SetPassword, UserRules
from services.directory.application.tokens.access_tokens import AccessTokens
from services.directory.application.tokens.impersonation import Impersonate
from services.directory.application.tokens.issue_token import IssueToken
from services.directory.application.tokens.refresh_tokens import RefreshTokens
from services.directory.application.tokens.revocations import EndTokens
from services.directory.application.tokens.signing_keys import SigningKeys
from services.directory.application.tokens.throttle import Throttle
from services.directory.domain.tokens.client_secrets import ClientSecret, clue_of
from services.directory.rpc.address_book.address_servicer import AddressServicer
from services.directory.rpc.channels.api_client_servicer import ApiClientServicer
from services.directory.rpc.cost_centers.cost_center_servicer import CostCenterServicer
from services.directory.rpc.parties.buyer_servicer import BuyerServicer
from services.directory.rpc.parties.context_servicer import OrderingContextServicer
from services.directory.rpc.parties.seller_servicer import SellerServicer
from services.directory.rpc.parties.supplier_servicer import SupplierServicer
from services.directory.rpc.people.membership_servicer import MembershipServicer
from services.directory.rpc.people.message_servicer import MessageServicer
from services.directory.rpc.people.registration_servicer import RegistrationServicer
from services.directory.rpc.people.security_profile_servicer import SecurityProfileServicer
from services.directory.rpc.people.user_group_servicer import UserGroupServicer
from services.directory.rpc.people.user_servicer import UserServicer
from services.directory.rpc.tokens.key_servicer import KeyServicer
from services.directory.rpc.tokens.revocation_servicer import RevocationServicer
from services.directory.rpc.tokens.token_servicer import TokenServicer
from services.directory.settings import Settings
from waybill.directory.v1 import (
    address_service_pb2_grpc,
    api_client_service_pb2_grpc,
    buyer_service_pb2_grpc,
    cost_center_service_pb2_grpc,
    key_service_pb2_grpc,
    membership_service_pb2_grpc,
    message_service_pb2_grpc,
    ordering_context_service_pb2_grpc,
    registration_service_pb2_grpc,
    revocation_service_pb2_grpc,
    security_profile_service_pb2_grpc,
    seller_service_pb2_grpc,
    supplier_service_pb2_grpc,
    token_service_pb2_grpc,
    user_group_service_pb2_grpc,
    user_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.directory.v1"
WHO = frozenset(resource.table.name for resource in (USER, BUYER, SUPPLIER, GROUP, CLIENT))
"""Whose ids stay taken for ever: what other services remember of them must never mean somebody else."""
Served = tuple[Any, Any, str]
"""What adds a servicer to a server, the servicer, and the name of its service without the ending."""


async def _open(settings: Settings) -> Database:
    return await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)


async def sealed(settings: Settings, find: FindKeys, clock: Clock) -> Settings:
    """The settings with the sealing keys, after whatever lay open was sealed. Before anything else is built or set up.

    Migrates. Raises `SealingKeyMismatch`.
    """
    database = await _open(settings)
    try:
        return replace(settings, sealing=await seal_stored(database, find, clock))
    finally:
        await database.close()


async def bootstrap(settings: Settings, clock: Clock, ids: IdSource) -> OneTimeSecret | None:
    """Sets an empty directory up; None when it is not empty. One without a key to sign with gets one.

    Safe when two processes start at once.
    """
    database = await _open(settings)
    argon2 = Argon2(settings.argon2_time, settings.argon2_memory_kib)
    secret = argon2.new()
    keys = RsaKeys(ids, settings.sealing_keys)
    try:
        if not await is_empty(database):
            await renew_key(database, keys, clock)
            return None
        made_key = await keys.make()
        rows = await first_rows(settings.seller_id, settings.seller_name, secret, argon2.hash, clock, made_key)
        made = await store(database, rows)
    finally:
        await database.close()
    return OneTimeSecret(ADMIN_CLIENT, secret, OWNER) if made else None


async def reset_owner_secret(settings: Settings, clock: Clock) -> OneTimeSecret | None:
    """A new secret for the owner's client, its only one from now on; None when the directory was never set up.

    For whoever commands the database: no caller is asked for. Does not migrate; raises `SchemaError`.
    """
    database = await _open(replace(settings, tuning=replace(settings.tuning, migrate=False)))
    argon2 = Argon2(settings.argon2_time, settings.argon2_memory_kib)
    secret = argon2.new()
    hashed = await argon2.hash(secret)

    async def reset(work: SqlDirectoryWork) -> bool:
        if await work.client_secrets.limits(ADMIN_CLIENT) is None:
            return False
        now = clock.now()
        made = ClientSecret(new_id("sec"), "", clue_of(secret), hashed, now)
        await replace_others(work, ADMIN_CLIENT, await work.client_secrets.every(ADMIN_CLIENT), made, None, now)
        work.trail.note("API client", ADMIN_CLIENT, now, action="ResetOwnerSecret")
        return True

    try:
        known = await SqlUnitsOfWork(database, SqlDirectoryWork).retrying(reset)
    finally:
        await database.close()
    return OneTimeSecret(ADMIN_CLIENT, secret, OWNER) if known else None


async def forget_keys(settings: Settings) -> int:
    """Drops every key of tokens, as when the key that sealed them is lost, and says how many; the next start makes one.

    For whoever commands the database. Does not migrate; raises `SchemaError`.
    """
    database = await _open(replace(settings, tuning=replace(settings.tuning, migrate=False)))
    try:
        return await database.retrying(drop_keys)
    finally:
        await database.close()


def _groups_and_profiles(
    groups: StandardMethods[SqlDirectoryWork],
    profiles: StandardMethods[SqlDirectoryWork],
    units: SqlUnitsOfWork[SqlDirectoryWork],
    clock: Clock,
    lists: SqlMembershipLists,
) -> list[Served]:
    return [
        (
            user_group_service_pb2_grpc.add_UserGroupServiceServicer_to_server,
            UserGroupServicer(groups, UserGroupMembers(units, clock), lists),
            "UserGroup",
        ),
        (
            security_profile_service_pb2_grpc.add_SecurityProfileServiceServicer_to_server,
            SecurityProfileServicer(profiles, SecurityProfileAssignments(units, clock), lists, EndTokens(clock)),
            "SecurityProfile",
        ),
        (membership_service_pb2_grpc.add_MembershipServiceServicer_to_server, MembershipServicer(lists), "Membership"),
    ]


def _registration(
    settings: Settings,
    runtime: Runtime,
    database: Database,
    units: SqlUnitsOfWork[SqlDirectoryWork],
    accounts: SqlAccounts,
    argon2: Argon2,
    tallies: SqlSignIns,
) -> list[Served]:
    clock = runtime.clock
    desk = Desk(units, argon2, clock, runtime.ids)
    throttle = RegistrationThrottle(clock, tallies, settings.registration_limits)
    waits = timedelta(hours=settings.registration_lifetime)
    return [
        (
            registration_service_pb2_grpc.add_RegistrationServiceServicer_to_server,
            RegistrationServicer(
                Register(accounts, argon2, throttle, KeepRegistration(desk, waits), clock),
                ConfirmRegistration(desk, accounts, throttle),
            ),
            "Registration",
        ),
        (
            message_service_pb2_grpc.add_MessageServiceServicer_to_server,
            MessageServicer(SqlMessageLists(database, clock), MarkMessagesSent(units, clock)),
            "Message",
        ),
    ]


def _inspection(database: Database) -> AnyInspection:
    inspection = with_rules(Inspection(CensusReader(database)), database, look(database.dialect))
    return with_effects(inspection, database, "directory", REQUESTS, MADE)


# Long because it names every service once, with what it is made of.
async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the services."""
    database = await _open(settings)
    clock, ids = runtime.clock, runtime.ids
    argon2 = Argon2(settings.argon2_time, settings.argon2_memory_kib, settings.argon2_threads, settings.argon2_queue)
    revocations, ending = SqlRevocationLists(database), EndTokens(clock)
    accounts, key_ring = SqlAccounts(database), SqlKeyRing(database, settings.sealing_keys, settings.audience)
    contexts, units = SqlContexts(database), SqlUnitsOfWork(database, SqlDirectoryWork)
    sign_ins = SqlSignIns(database)
    keys = RsaKeys(ids, settings.sealing_keys)
    key_changes = KeyChanges()
    database.on_commit(REVOCATIONS, key_changes.announce_revocation)
    throttle = Throttle(clock, sign_ins, settings.sign_in_limits)
    access, refreshing = AccessTokens(accounts, key_ring, clock, runtime.ids), RefreshTokens(units, argon2, clock)
    issue = IssueToken(accounts, argon2, throttle, access, refreshing)

    def standard(resource: Resource) -> StandardMethods[SqlDirectoryWork]:
        return StandardMethods(database, REQUESTS, resource, clock, ids, SqlDirectoryWork)

    served: list[Served] = [
        (
            token_service_pb2_grpc.add_TokenServiceServicer_to_server,
            TokenServicer(issue, Impersonate(accounts, access, units, clock), key_ring, clock),
            "Token",
        ),
        (revocation_service_pb2_grpc.add_RevocationServiceServicer_to_server, RevocationServicer(revocations), "Revocation"),
        (
            key_service_pb2_grpc.add_KeyServiceServicer_to_server,
            KeyServicer(SigningKeys(units, clock, keys, timedelta(seconds=settings.key_lead), key_changes.announce)),
            "Key",
        ),
        (
            ordering_context_service_pb2_grpc.add_OrderingContextServiceServicer_to_server,
            OrderingContextServicer(contexts, clock),
            "OrderingContext",
        ),
        (seller_service_pb2_grpc.add_SellerServiceServicer_to_server, SellerServicer(standard(SELLER), contexts), "Seller"),
        (buyer_service_pb2_grpc.add_BuyerServiceServicer_to_server, BuyerServicer(standard(BUYER), ending), "Buyer"),
        (
            supplier_service_pb2_grpc.add_SupplierServiceServicer_to_server,
            SupplierServicer(standard(SUPPLIER), ending),
            "Supplier",
        ),
        (
            user_service_pb2_grpc.add_UserServiceServicer_to_server,
            UserServicer(
                standard(USER),
                standard(OWN_USER),
                UserRules(argon2, settings.batch_hashes, clock),
                SetPassword(units, argon2, clock),
                ChangePassword(units, accounts, argon2, clock, throttle),
            ),
            "User",
        ),
        (
            api_client_service_pb2_grpc.add_ApiClientServiceServicer_to_server,
            ApiClientServicer(standard(CLIENT), ClientSecretUseCases(units, argon2, clock, ids), ending),
            "ApiClient",
        ),
        (
            address_service_pb2_grpc.add_AddressServiceServicer_to_server,
            AddressServicer(Addresses(units, clock), AddressAssignments(units, clock), SqlAddressLists(database), clock, ids),
            "Address",
        ),
        (
            cost_center_service_pb2_grpc.add_CostCenterServiceServicer_to_server,
            CostCenterServicer(
                standard(COST_CENTER),
                standard(USABLE_COST_CENTER),
                CostCenterAssignments(units, clock),
                SqlCostCenterLists(database),
            ),
            "CostCenter",
        ),
        *_registration(settings, runtime, database, units, accounts, argon2, sign_ins),
        *_groups_and_profiles(standard(GROUP), standard(PROFILE), units, clock, SqlMembershipLists(database)),
    ]
    changes = SqlChangeFeed(database, CHANGES)
    audit = SqlAuditLog(database, AUDIT.metadata)

    async def close() -> None:
        argon2.close()
        await database.close()

    return ServiceApp(
        name="directory",
        registrations=[(add, servicer, f"{PACKAGE}.{name}Service") for add, servicer, name in served],
        background=[
            forgetting(database, REQUESTS, clock, settings.remembered, settings.forget_pause, WHO),
            changes.forgetting(clock, settings.changes_kept),
            audit.forgetting(clock, settings.audit_kept),
            sign_in_addresses.forgetting(database, clock, timedelta(days=settings.address_retention)),
            revocations.forgetting(clock),
            sign_ins.sweeping(clock),
            refresh_tokens.forgetting(database, clock),
            registrations.forgetting(database, clock),
            messages.forgetting(database, clock, timedelta(days=settings.message_retention)),
            key_ring.erasing(clock),
        ],
        close=close,
        inspection=_inspection(database),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
        key_changes=key_changes,
    )
