"""Builds the catalog service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from libs.audit.log import SqlAuditLog
from libs.db.invariants import with_rules
from libs.db.migrate import open_migrated
from libs.db.unit_of_work import SqlUnitsOfWork
from libs.idempotency.invariants import with_effects
from libs.idempotency.outcomes import forgetting
from libs.relay.change_feed import SqlChangeFeed
from libs.resource.database import Resource, StandardMethods
from libs.service.app import Runtime, ServiceApp
from libs.service.loops import Loop
from services.catalog.adapters.clients.directory import DirectoryBuyers, DirectoryMemberships
from services.catalog.adapters.clients.fulfillment import FulfillmentStock
from services.catalog.adapters.clients.pricing import PricingPrices
from services.catalog.adapters.db.catalogs.assignment_store import SqlAssignmentLists
from services.catalog.adapters.db.catalogs.visible import SqlShown
from services.catalog.adapters.db.choices.configurations import SqlConfigurations
from services.catalog.adapters.db.choices.variant_store import SqlVariants
from services.catalog.adapters.db.invariants.census_store import CensusReader
from services.catalog.adapters.db.invariants.rules import look
from services.catalog.adapters.db.shop.shop_store import SqlShop
from services.catalog.adapters.db.suppliers.permission_store import SqlSuppliedProducts
from services.catalog.adapters.db.tables import AUDIT, CATALOG, CATEGORY, CHANGES, MADE, PRODUCT, PRODUCT_FACET, REQUESTS, SPEC
from services.catalog.adapters.db.work import SqlCatalogWork
from services.catalog.application.catalogs.assigning import Assigning
from services.catalog.application.catalogs.placing import (
    ends_assignments_of_categories,
    ends_assignments_of_products,
    places_products,
)
from services.catalog.application.catalogs.showing import Showing
from services.catalog.application.choices.specifying import AssigningSpecs
from services.catalog.application.choices.varying import Varying
from services.catalog.application.inspection import Inspection
from services.catalog.application.products.faceting import CollectValues
from services.catalog.application.products.indexing import indexes_products
from services.catalog.application.shop.shopping import Shopping
from services.catalog.application.suppliers.deciding import Deciding
from services.catalog.application.suppliers.supplying import Supplying
from services.catalog.contract.resources import UNSET
from services.catalog.domain.catalogs.assignment import (
    CATALOG_BUYER,
    CATALOG_PRODUCT,
    CATEGORY_BUYER,
    CATEGORY_PRODUCT,
    PRODUCT_BUYER,
    PRODUCT_SPEC,
    SUPPLIER_PERMISSION,
    Kind,
)
from services.catalog.rpc.catalogs.assignments import Assigned
from services.catalog.rpc.catalogs.catalog_servicer import CatalogServicer
from services.catalog.rpc.catalogs.category_servicer import CategoryServicer
from services.catalog.rpc.catalogs.product_assignment_servicer import ProductAssignmentServicer
from services.catalog.rpc.catalogs.seen import SeenProducts
from services.catalog.rpc.choices.spec_servicer import SpecServicer
from services.catalog.rpc.choices.variant_servicer import VariantServicer
from services.catalog.rpc.products.product_facet_servicer import ProductFacetServicer
from services.catalog.rpc.products.product_servicer import ProductServicer
from services.catalog.rpc.shop.my_product_servicer import MyProductServicer
from services.catalog.rpc.suppliers.product_proposal_servicer import ProductProposalServicer
from services.catalog.rpc.suppliers.supplier_permission_servicer import SupplierPermissionServicer
from services.catalog.rpc.suppliers.supplier_product_servicer import SupplierProductServicer
from services.catalog.settings import Settings
from waybill.catalog.v1 import (
    catalog_service_pb2_grpc,
    category_service_pb2_grpc,
    my_product_service_pb2_grpc,
    product_assignment_service_pb2_grpc,
    product_facet_service_pb2_grpc,
    product_proposal_service_pb2_grpc,
    product_service_pb2_grpc,
    spec_service_pb2_grpc,
    supplier_permission_service_pb2_grpc,
    supplier_product_service_pb2_grpc,
    variant_service_pb2_grpc,
)

VERSIONS = Path(__file__).parent / "migrations" / "versions"
PACKAGE = "waybill.catalog.v1"
COLLECT_PAUSE = 2.0
"""Seconds between two looks for facets whose values are not all collected."""


Served = tuple[Any, Any, str]
"""What adds a servicer to a server, the servicer, and the name of its service."""


def _placing(assigned: Callable[[Kind], Assigned], deciding: Deciding, lists: SqlAssignmentLists) -> list[Served]:
    """Where products stand, and which suppliers put their own there."""
    return [
        (
            product_assignment_service_pb2_grpc.add_ProductAssignmentServiceServicer_to_server,
            ProductAssignmentServicer(assigned(CATALOG_PRODUCT), assigned(CATEGORY_PRODUCT), assigned(PRODUCT_BUYER)),
            "ProductAssignmentService",
        ),
        (
            supplier_permission_service_pb2_grpc.add_SupplierPermissionServiceServicer_to_server,
            SupplierPermissionServicer(assigned(SUPPLIER_PERMISSION)),
            "SupplierPermissionService",
        ),
        (
            product_proposal_service_pb2_grpc.add_ProductProposalServiceServicer_to_server,
            ProductProposalServicer(deciding, lists),
            "ProductProposalService",
        ),
    ]


# Long because wiring is one list: what is built, from what, and where it is served.
async def build(settings: Settings, runtime: Runtime) -> ServiceApp:
    """Opens and migrates the database, wires the service."""
    database = await open_migrated(settings.database_url, settings.database_schema, VERSIONS, settings.tuning)
    clock = runtime.clock
    units = SqlUnitsOfWork(database, SqlCatalogWork)
    lists = SqlAssignmentLists(database)

    def standard(resource: Resource) -> StandardMethods[SqlCatalogWork]:
        return StandardMethods(database, REQUESTS, resource, clock, runtime.ids, SqlCatalogWork)

    def assigned(kind: Kind) -> Assigned:
        return Assigned(kind, Assigning(units, clock, kind), lists)

    catalogs, categories, products = standard(CATALOG), standard(CATEGORY), standard(PRODUCT)
    shown = SqlShown(database, catalogs, categories, products)
    showing = Showing(units, DirectoryMemberships(runtime.peers))
    peers = runtime.peers
    configuring = SqlConfigurations(database)
    shop = SqlShop(database, shown)
    shopping = Shopping(showing, shop, DirectoryBuyers(peers), PricingPrices(peers), FulfillmentStock(peers))
    ended, placed = ends_assignments_of_products(clock), indexes_products(places_products(clock))
    collect = CollectValues(units)
    served: list[Served] = [
        (
            product_service_pb2_grpc.add_ProductServiceServicer_to_server,
            ProductServicer(products, shown, showing, placed, ended, Supplying(clock, UNSET), configuring),
            "ProductService",
        ),
        (
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
            CatalogServicer(catalogs, shown, showing, assigned(CATALOG_BUYER)),
            "CatalogService",
        ),
        (
            category_service_pb2_grpc.add_CategoryServiceServicer_to_server,
            CategoryServicer(categories, shown, showing, assigned(CATEGORY_BUYER), ends_assignments_of_categories(clock)),
            "CategoryService",
        ),
        (
            spec_service_pb2_grpc.add_SpecServiceServicer_to_server,
            SpecServicer(standard(SPEC), Assigned(PRODUCT_SPEC, AssigningSpecs(units, clock), lists)),
            "SpecService",
        ),
        (
            variant_service_pb2_grpc.add_VariantServiceServicer_to_server,
            VariantServicer(Varying(units, clock, runtime.ids), SqlVariants(database), SeenProducts(products, shown, showing)),
            "VariantService",
        ),
        *_placing(assigned, Deciding(units, clock), lists),
        (
            product_facet_service_pb2_grpc.add_ProductFacetServiceServicer_to_server,
            ProductFacetServicer(standard(PRODUCT_FACET), collect),
            "ProductFacetService",
        ),
        (
            supplier_product_service_pb2_grpc.add_SupplierProductServiceServicer_to_server,
            SupplierProductServicer(SqlSuppliedProducts(database)),
            "SupplierProductService",
        ),
        (my_product_service_pb2_grpc.add_MyProductServiceServicer_to_server, MyProductServicer(shopping), "MyProductService"),
    ]
    inspection = with_rules(Inspection(CensusReader(database)), database, look())
    changes = SqlChangeFeed(database, CHANGES)
    audit = SqlAuditLog(database, AUDIT.metadata)
    return ServiceApp(
        name="catalog",
        registrations=[(add, servicer, f"{PACKAGE}.{name}") for add, servicer, name in served],
        background=[
            forgetting(database, REQUESTS, clock, settings.remembered, settings.forget_pause),
            changes.forgetting(clock, settings.changes_kept),
            audit.forgetting(clock, settings.audit_kept),
            Loop("collect facet values", collect.once, COLLECT_PAUSE),
        ],
        close=database.close,
        inspection=with_effects(inspection, database, "catalog", REQUESTS, MADE),
        statements=lambda: database.statements,
        database=database,
        audit=audit,
        changes=changes,
    )
