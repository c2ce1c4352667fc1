"""The same services for the asynchronous client: one stub at run time, awaitable methods for the type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waybill_client.services import Services

if TYPE_CHECKING:
    from waybill.audit.v1.audit_service_pb2_grpc import AuditServiceAsyncStub
    from waybill.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub
    from waybill.catalog.v1.category_service_pb2_grpc import CategoryServiceAsyncStub
    from waybill.catalog.v1.my_product_service_pb2_grpc import MyProductServiceAsyncStub
    from waybill.catalog.v1.product_assignment_service_pb2_grpc import ProductAssignmentServiceAsyncStub
    from waybill.catalog.v1.product_facet_service_pb2_grpc import ProductFacetServiceAsyncStub
    from waybill.catalog.v1.product_proposal_service_pb2_grpc import ProductProposalServiceAsyncStub
    from waybill.catalog.v1.product_service_pb2_grpc import ProductServiceAsyncStub
    from waybill.catalog.v1.spec_service_pb2_grpc import SpecServiceAsyncStub
    from waybill.catalog.v1.supplier_permission_service_pb2_grpc import SupplierPermissionServiceAsyncStub
    from waybill.catalog.v1.variant_service_pb2_grpc import VariantServiceAsyncStub
    from waybill.changes.v1.change_service_pb2_grpc import ChangeServiceAsyncStub
    from waybill.directory.v1.address_service_pb2_grpc import AddressServiceAsyncStub
    from waybill.directory.v1.api_client_service_pb2_grpc import ApiClientServiceAsyncStub
    from waybill.directory.v1.buyer_service_pb2_grpc import BuyerServiceAsyncStub
    from waybill.directory.v1.cost_center_service_pb2_grpc import CostCenterServiceAsyncStub
    from waybill.directory.v1.key_service_pb2_grpc import KeyServiceAsyncStub
    from waybill.directory.v1.message_service_pb2_grpc import MessageServiceAsyncStub
    from waybill.directory.v1.registration_service_pb2_grpc import RegistrationServiceAsyncStub
    from waybill.directory.v1.security_profile_service_pb2_grpc import SecurityProfileServiceAsyncStub
    from waybill.directory.v1.seller_service_pb2_grpc import SellerServiceAsyncStub
    from waybill.directory.v1.supplier_service_pb2_grpc import SupplierServiceAsyncStub
    from waybill.directory.v1.token_service_pb2_grpc import TokenServiceAsyncStub
    from waybill.directory.v1.user_group_service_pb2_grpc import UserGroupServiceAsyncStub
    from waybill.directory.v1.user_service_pb2_grpc import UserServiceAsyncStub
    from waybill.fulfillment.v1.inventory_service_pb2_grpc import InventoryServiceAsyncStub
    from waybill.fulfillment.v1.shipment_service_pb2_grpc import ShipmentServiceAsyncStub
    from waybill.fulfillment.v1.supplier_order_service_pb2_grpc import SupplierOrderServiceAsyncStub
    from waybill.inspection.v1.inspection_service_pb2_grpc import InspectionServiceAsyncStub
    from waybill.operations.v1.outbox_service_pb2_grpc import OutboxServiceAsyncStub
    from waybill.order.v1.approval_rule_service_pb2_grpc import ApprovalRuleServiceAsyncStub
    from waybill.order.v1.approval_service_pb2_grpc import ApprovalServiceAsyncStub
    from waybill.order.v1.cart_service_pb2_grpc import CartServiceAsyncStub
    from waybill.order.v1.checkout_service_pb2_grpc import CheckoutServiceAsyncStub
    from waybill.order.v1.line_item_service_pb2_grpc import LineItemServiceAsyncStub
    from waybill.order.v1.order_command_service_pb2_grpc import OrderCommandServiceAsyncStub
    from waybill.order.v1.order_service_pb2_grpc import OrderServiceAsyncStub
    from waybill.order.v1.order_sub_status_service_pb2_grpc import OrderSubStatusServiceAsyncStub
    from waybill.order.v1.submission_service_pb2_grpc import SubmissionServiceAsyncStub
    from waybill.payment.v1.credit_card_service_pb2_grpc import CreditCardServiceAsyncStub
    from waybill.payment.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub
    from waybill.payment.v1.payment_service_pb2_grpc import PaymentServiceAsyncStub
    from waybill.payment.v1.payment_type_service_pb2_grpc import PaymentTypeServiceAsyncStub
    from waybill.payment.v1.provider_callback_service_pb2_grpc import ProviderCallbackServiceAsyncStub
    from waybill.payment.v1.reconciliation_service_pb2_grpc import ReconciliationServiceAsyncStub
    from waybill.payment.v1.spending_account_service_pb2_grpc import SpendingAccountServiceAsyncStub
    from waybill.pricing.v1.cost_schedule_service_pb2_grpc import CostScheduleServiceAsyncStub
    from waybill.pricing.v1.price_floor_service_pb2_grpc import PriceFloorServiceAsyncStub
    from waybill.pricing.v1.price_schedule_service_pb2_grpc import PriceScheduleServiceAsyncStub
    from waybill.pricing.v1.pricing_service_pb2_grpc import PricingServiceAsyncStub
    from waybill.pricing.v1.promotion_service_pb2_grpc import PromotionServiceAsyncStub
    from waybill.pricing.v1.tax_rate_service_pb2_grpc import TaxRateServiceAsyncStub
    from waybill.shipping.v1.carrier_service_pb2_grpc import CarrierServiceAsyncStub
    from waybill.shipping.v1.grouping_rule_service_pb2_grpc import GroupingRuleServiceAsyncStub
    from waybill.shipping.v1.rate_table_service_pb2_grpc import RateTableServiceAsyncStub
    from waybill.shipping.v1.ship_method_assignment_service_pb2_grpc import ShipMethodAssignmentServiceAsyncStub
    from waybill.shipping.v1.ship_method_service_pb2_grpc import ShipMethodServiceAsyncStub
    from waybill.shipping.v1.zone_service_pb2_grpc import ZoneServiceAsyncStub


def _stub(name: str) -> Any:
    return Services.__dict__[name]


class AsyncServices:
    """Every service of a marketplace, to be awaited."""

    channel: Any
    orders: OrderServiceAsyncStub = _stub("orders")
    approval_rules: ApprovalRuleServiceAsyncStub = _stub("approval_rules")
    approvals: ApprovalServiceAsyncStub = _stub("approvals")
    line_items: LineItemServiceAsyncStub = _stub("line_items")
    carts: CartServiceAsyncStub = _stub("carts")
    checkout: CheckoutServiceAsyncStub = _stub("checkout")
    products: ProductServiceAsyncStub = _stub("products")
    catalogs: CatalogServiceAsyncStub = _stub("catalogs")
    categories: CategoryServiceAsyncStub = _stub("categories")
    product_assignments: ProductAssignmentServiceAsyncStub = _stub("product_assignments")
    product_facets: ProductFacetServiceAsyncStub = _stub("product_facets")
    specs: SpecServiceAsyncStub = _stub("specs")
    variants: VariantServiceAsyncStub = _stub("variants")
    my_products: MyProductServiceAsyncStub = _stub("my_products")
    product_proposals: ProductProposalServiceAsyncStub = _stub("product_proposals")
    supplier_permissions: SupplierPermissionServiceAsyncStub = _stub("supplier_permissions")
    pricing: PricingServiceAsyncStub = _stub("pricing")
    cost_schedules: CostScheduleServiceAsyncStub = _stub("cost_schedules")
    price_floors: PriceFloorServiceAsyncStub = _stub("price_floors")
    price_schedules: PriceScheduleServiceAsyncStub = _stub("price_schedules")
    promotions: PromotionServiceAsyncStub = _stub("promotions")
    tax_rates: TaxRateServiceAsyncStub = _stub("tax_rates")
    tokens: TokenServiceAsyncStub = _stub("tokens")
    registrations: RegistrationServiceAsyncStub = _stub("registrations")
    messages: MessageServiceAsyncStub = _stub("messages")
    sellers: SellerServiceAsyncStub = _stub("sellers")
    buyers: BuyerServiceAsyncStub = _stub("buyers")
    suppliers: SupplierServiceAsyncStub = _stub("suppliers")
    users: UserServiceAsyncStub = _stub("users")
    user_groups: UserGroupServiceAsyncStub = _stub("user_groups")
    cost_centers: CostCenterServiceAsyncStub = _stub("cost_centers")
    security_profiles: SecurityProfileServiceAsyncStub = _stub("security_profiles")
    addresses: AddressServiceAsyncStub = _stub("addresses")
    api_clients: ApiClientServiceAsyncStub = _stub("api_clients")
    keys: KeyServiceAsyncStub = _stub("keys")
    carriers: CarrierServiceAsyncStub = _stub("carriers")
    ship_methods: ShipMethodServiceAsyncStub = _stub("ship_methods")
    ship_method_assignments: ShipMethodAssignmentServiceAsyncStub = _stub("ship_method_assignments")
    zones: ZoneServiceAsyncStub = _stub("zones")
    rate_tables: RateTableServiceAsyncStub = _stub("rate_tables")
    grouping_rules: GroupingRuleServiceAsyncStub = _stub("grouping_rules")
    payments: PaymentServiceAsyncStub = _stub("payments")
    provider_callbacks: ProviderCallbackServiceAsyncStub = _stub("provider_callbacks")
    spending_accounts: SpendingAccountServiceAsyncStub = _stub("spending_accounts")
    credit_cards: CreditCardServiceAsyncStub = _stub("credit_cards")
    payment_types: PaymentTypeServiceAsyncStub = _stub("payment_types")
    ledger: LedgerServiceAsyncStub = _stub("ledger")
    inventory: InventoryServiceAsyncStub = _stub("inventory")
    supplier_orders: SupplierOrderServiceAsyncStub = _stub("supplier_orders")
    shipments: ShipmentServiceAsyncStub = _stub("shipments")
    inspection: InspectionServiceAsyncStub = _stub("inspection")
    outbox: OutboxServiceAsyncStub = _stub("outbox")
    audit: AuditServiceAsyncStub = _stub("audit")
    changes: ChangeServiceAsyncStub = _stub("changes")
    submissions: SubmissionServiceAsyncStub = _stub("submissions")
    order_commands: OrderCommandServiceAsyncStub = _stub("order_commands")
    reconciliation: ReconciliationServiceAsyncStub = _stub("reconciliation")
    order_sub_statuses: OrderSubStatusServiceAsyncStub = _stub("order_sub_statuses")
