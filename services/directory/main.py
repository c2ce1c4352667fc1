"""Builds the directory service, and sets an empty one up."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from libs.clock import Clock
from libs.db import Database
from libs.db.migrate import open_migrated
from libs.ids import IdSource
from libs.resource import StandardMethods
from libs.service import Runtime, ServiceApp
from services.directory.adapters.db.accounts import SqlAccounts
from services.directory.adapters.db.audit import Audit
from services.directory.adapters.db.contexts import SqlContexts
from services.directory.adapters.db.tables import (
    BUYER,
    CLIENT,
    CLIENTS,
    REQUESTS,
    SELLERS,
    SIGNING_KEYS,
    SUPPLIER,
    USER,
    USERS,
)
from services.directory.adapters.passwords import Argon2, new_secret
from services.directory.application.bootstrap import ADMIN_CLIENT, OWNER, OneTimeSecret, first_rows
from services.directory.application.issue_token import IssueToken
from services.directory.rpc.address_servicer import AddressServicer
from services.directory.rpc.api_client_servicer import ApiClientServicer
from services.directory.rpc.buyer_servicer import BuyerServicer
from services.directory.rpc.context_servicer import OrderingContextServicer
from services.directory.rpc.supplier_servicer import SupplierServicer
from services.directory.rpc.token_servicer import TokenServicer
from services.directory.rpc.user_servicer import UserServicer
from services.directory.settings import Settings
from waybill.directory.v1 import (
    address_service_pb2_grpc,
    api_client_service_pb2_grpc,
    buyer_service_pb2_grpc,
    ordering_context_service_pb2_grpc,
    supplier_service_pb2_grpc,
    token_service_pb2_grpc,
    user_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.directory.v1"


async def _open(settings: Settings) -> Database:
    return await open_migrated(
        settings.database_url, settings.database_schema, VERSIONS, settings.pool_size
    )


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


async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await _open(settings)
    clock, ids = runtime.clock, runtime.ids
    argon2 = Argon2(settings.argon2_time, settings.argon2_memory_kib)
    accounts = SqlAccounts(database)

    def methods(resource: object) -> StandardMethods:
        return StandardMethods(database, REQUESTS, resource, clock, ids)  # type: ignore[arg-type]

    return ServiceApp(
        name="directory",
        registrations=[
            (
                token_service_pb2_grpc.add_TokenServiceServicer_to_server,
                TokenServicer(IssueToken(accounts, argon2, clock), accounts),
                f"{PACKAGE}.TokenService",
            ),
            (
                ordering_context_service_pb2_grpc.add_OrderingContextServiceServicer_to_server,
                OrderingContextServicer(SqlContexts(database)),
                f"{PACKAGE}.OrderingContextService",
            ),
            (
                buyer_service_pb2_grpc.add_BuyerServiceServicer_to_server,
                BuyerServicer(methods(BUYER)),
                f"{PACKAGE}.BuyerService",
            ),
            (
                supplier_service_pb2_grpc.add_SupplierServiceServicer_to_server,
                SupplierServicer(methods(SUPPLIER)),
                f"{PACKAGE}.SupplierService",
            ),
            (
                user_service_pb2_grpc.add_UserServiceServicer_to_server,
                UserServicer(methods(USER), argon2),
                f"{PACKAGE}.UserService",
            ),
            (
                api_client_service_pb2_grpc.add_ApiClientServiceServicer_to_server,
                ApiClientServicer(methods(CLIENT), database, argon2),
                f"{PACKAGE}.ApiClientService",
            ),
            (
                address_service_pb2_grpc.add_AddressServiceServicer_to_server,
                AddressServicer(database, clock, ids),
                f"{PACKAGE}.AddressService",
            ),
        ],
        close=database.close,
        anonymous=frozenset({f"/{PACKAGE}.TokenService/IssueToken", f"/{PACKAGE}.TokenService/GetKeySet"}),
        audit=Audit(database),
        statements=lambda: database.statements,
    )
