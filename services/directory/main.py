"""Builds the directory service, and sets an empty one up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database, Tx
from libs.db.invariants import with_rules
from libs.db.migrate import open_migrated
from libs.idempotency.invariants import with_effects
from libs.idempotency.outcomes import forgetting
from libs.ids import IdSource
from libs.resource.database import Resource, StandardMethods
from libs.service.app import Runtime, ServiceApp
from services.directory.adapters.db.accounts import SqlAccounts
from services.directory.adapters.db.address_books import SqlAddressBooks
from services.directory.adapters.db.contexts import SqlContexts
from services.directory.adapters.db.invariants.census import CensusReader
from services.directory.adapters.db.invariants.rules import look
from services.directory.adapters.db.parties import SqlParties
from services.directory.adapters.db.requests import SqlRequests
from services.directory.adapters.db.tables import (
    BUYER,
    CLIENT,
    CLIENTS,
    MADE,
    REQUESTS,
    SELLER,
    SELLERS,
    SIGNING_KEYS,
    SUPPLIER,
    USER,
    USERS,
)
from services.directory.adapters.db.users import SqlClientSecrets, SqlUsers
from services.directory.adapters.passwords import Argon2, new_secret
from services.directory.application.address_assignments import AddressAssignments
from services.directory.application.addresses import Addresses
from services.directory.application.api_clients import ClientRules, RotateSecret
from services.directory.application.audit import Audit
from services.directory.application.bootstrap import ADMIN_CLIENT, OWNER, OneTimeSecret, first_rows
from services.directory.application.issue_token import IssueToken
from services.directory.application.users import SetPassword, UserRules
from services.directory.rpc.address_servicer import AddressServicer
from services.directory.rpc.api_client_servicer import ApiClientServicer
from services.directory.rpc.buyer_servicer import BuyerServicer
from services.directory.rpc.context_servicer import OrderingContextServicer
from services.directory.rpc.seller_servicer import SellerServicer
from services.directory.rpc.supplier_servicer import SupplierServicer
from services.directory.rpc.token_servicer import TokenServicer
from services.directory.rpc.user_servicer import UserServicer
from services.directory.settings import Settings
from waybill.directory.v1 import (
    address_service_pb2_grpc,
    api_client_service_pb2_grpc,
    buyer_service_pb2_grpc,
    ordering_context_service_pb2_grpc,
    seller_service_pb2_grpc,
    supplier_service_pb2_grpc,
    token_service_pb2_grpc,
    user_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.directory.v1"


async def _open(settings: Settings) -> Database:
    return await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)


async def bootstrap(settings: Settings, clock: Clock, ids: IdSource) -> OneTimeSecret | None:
    """Sets an empty directory up; None when it is not empty. Safe when two processes start at once."""
    database = await _open(settings)
    secret = new_secret()
    argon2 = Argon2(settings.argon2_time, settings.argon2_memory_kib)
    try:
        async with database.reading() as tx:
            if (await tx.execute(sa.select(SELLERS.c.id))).first() is not None:
                return None
        rows = await first_rows(settings.seller_id, settings.seller_name, secret, argon2.hash, clock, ids)
        async with database.transaction() as tx:
            made = await tx.execute(tx.insert(SELLERS).on_conflict_do_nothing(), rows.seller)
            if made.rowcount == 0:
                return None
            await tx.execute(tx.insert(USERS), rows.user)
            await tx.execute(tx.insert(CLIENTS), rows.client)
            await tx.execute(tx.insert(SIGNING_KEYS), rows.key)
    finally:
        await database.close()
    return OneTimeSecret(ADMIN_CLIENT, secret, OWNER)


async def reset_owner_secret(settings: Settings, clock: Clock) -> OneTimeSecret | None:
    """A new secret for the owner's client, its only one from now on; None when the directory was never set up.

    For whoever commands the database: no caller is asked for. Does not migrate; raises `SchemaError`.
    """
    database = await _open(replace(settings, tuning=replace(settings.tuning, migrate=False)))
    secret = new_secret()
    hashed = await Argon2(settings.argon2_time, settings.argon2_memory_kib).hash(secret)
    clients = SqlClientSecrets()

    async def work(tx: Tx) -> bool:
        if await clients.limits(tx, ADMIN_CLIENT) is None:
            return False
        await clients.set_secret(tx, ADMIN_CLIENT, hashed, clock.now())
        return True

    try:
        known = await database.retrying(work)
    finally:
        await database.close()
    return OneTimeSecret(ADMIN_CLIENT, secret, OWNER) if known else None


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the services."""
    database = await _open(settings)
    clock, ids = runtime.clock, runtime.ids
    argon2 = Argon2(settings.argon2_time, settings.argon2_memory_kib)
    accounts = SqlAccounts(database, settings.signing_key_pem)
    contexts, requests, parties, users = SqlContexts(database), SqlRequests(), SqlParties(), SqlUsers()
    books = SqlAddressBooks(database)

    def standard(resource: Resource) -> StandardMethods[Tx]:
        return StandardMethods(database, REQUESTS, resource, clock, ids, lambda tx: tx)

    served: list[tuple[Any, Any, str]] = [
        (
            token_service_pb2_grpc.add_TokenServiceServicer_to_server,
            TokenServicer(IssueToken(accounts, argon2, clock), accounts),
            "Token",
        ),
        (
            ordering_context_service_pb2_grpc.add_OrderingContextServiceServicer_to_server,
            OrderingContextServicer(contexts, clock),
            "OrderingContext",
        ),
        (seller_service_pb2_grpc.add_SellerServiceServicer_to_server, SellerServicer(standard(SELLER), contexts), "Seller"),
        (buyer_service_pb2_grpc.add_BuyerServiceServicer_to_server, BuyerServicer(standard(BUYER)), "Buyer"),
        (supplier_service_pb2_grpc.add_SupplierServiceServicer_to_server, SupplierServicer(standard(SUPPLIER)), "Supplier"),
        (
            user_service_pb2_grpc.add_UserServiceServicer_to_server,
            UserServicer(
                standard(USER), UserRules(parties, users, argon2), SetPassword(database, requests, users, argon2, clock)
            ),
            "User",
        ),
        (
            api_client_service_pb2_grpc.add_ApiClientServiceServicer_to_server,
            ApiClientServicer(
                standard(CLIENT),
                ClientRules(parties, users),
                RotateSecret(database, requests, SqlClientSecrets(), users, argon2, clock),
            ),
            "ApiClient",
        ),
        (
            address_service_pb2_grpc.add_AddressServiceServicer_to_server,
            AddressServicer(
                Addresses(database, requests, books, parties, clock),
                AddressAssignments(database, requests, books, parties, clock),
                books,
                clock,
                ids,
            ),
            "Address",
        ),
    ]
    census = CensusReader(database, bool(settings.signing_key_pem))
    audit = with_rules(Audit(census), database, look(database.dialect))
    return ServiceApp(
        name="directory",
        registrations=[(add, servicer, f"{PACKAGE}.{name}Service") for add, servicer, name in served],
        background=[forgetting(database, REQUESTS, clock, settings.forget_pause_seconds)],
        close=database.close,
        anonymous=frozenset({f"/{PACKAGE}.TokenService/IssueToken", f"/{PACKAGE}.TokenService/GetKeySet"}),
        audit=with_effects(audit, database, "directory", REQUESTS, MADE),
        statements=lambda: database.statements,
        database=database,
    )
