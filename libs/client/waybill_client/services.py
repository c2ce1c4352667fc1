"""Which services there are, by the name that the client gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from waybill.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from waybill.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from waybill.catalog.v1.category_service_pb2_grpc import CategoryServiceStub
from waybill.catalog.v1.my_product_service_pb2_grpc import MyProductServiceStub
from waybill.catalog.v1.product_assignment_service_pb2_grpc import ProductAssignmentServiceStub
from waybill.catalog.v1.product_facet_service_pb2_grpc import ProductFacetServiceStub
from waybill.catalog.v1.product_proposal_service_pb2_grpc import ProductProposalServiceStub
from waybill.catalog.v1.product_service_pb2_grpc import ProductServiceStub
from waybill.catalog.v1.spec_service_pb2_grpc import SpecServiceStub
from waybill.catalog.v1.supplier_permission_service_pb2_grpc import SupplierPermissionServiceStub
from waybill.catalog.v1.variant_service_pb2_grpc import VariantServiceStub
from waybill.changes.v1.change_service_pb2_grpc import ChangeServiceStub
from waybill.directory.v1.address_service_pb2_grpc import AddressServiceStub
from waybill.directory.v1.api_client_service_pb2_grpc import ApiClientServiceStub
from waybill.directory.v1.buyer_service_pb2_grpc import BuyerServiceStub
from waybill.directory.v1.cost_center_service_pb2_grpc import CostCenterServiceStub
from waybill.directory.v1.key_service_pb2_grpc import KeyServiceStub
from waybill.directory.v1.message_service_pb2_grpc import MessageServiceStub
from waybill.directory.v1.registration_service_pb2_grpc import RegistrationServiceStub
from waybill.directory.v1.security_profile_service_pb2_grpc import SecurityProfileServiceStub
from waybill.directory.v1.seller_service_pb2_grpc import SellerServiceStub
from waybill.directory.v1.supplier_service_pb2_grpc import SupplierServiceStub
from waybill.directory.v1.token_service_pb2_grpc import TokenServiceStub
from waybill.directory.v1.user_group_service_pb2_grpc import UserGroupServiceStub
from waybill.directory.v1.user_service_pb2_grpc import UserServiceStub
from waybill.fulfillment.v1.inventory_service_pb2_grpc import InventoryServiceStub
from waybill.fulfillment.v1.shipment_service_pb2_grpc import ShipmentServiceStub
from waybill.fulfillment.v1.supplier_order_service_pb2_grpc import SupplierOrderServiceStub
from waybill.inspection.v1.inspection_service_pb2_grpc import InspectionServiceStub
from waybill.operations.v1.outbox_service_pb2_grpc import OutboxServiceStub
from waybill.order.v1.approval_rule_service_pb2_grpc import ApprovalRuleServiceStub
from waybill.order.v1.approval_service_pb2_grpc import ApprovalServiceStub
from waybill.order.v1.cart_service_pb2_grpc import CartServiceStub
from waybill.order.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from waybill.order.v1.line_item_service_pb2_grpc import LineItemServiceStub
from waybill.order.v1.order_command_service_pb2_grpc import OrderCommandServiceStub
from waybill.order.v1.order_service_pb2_grpc import OrderServiceStub
from waybill.order.v1.order_sub_status_service_pb2_grpc import OrderSubStatusServiceStub
from waybill.order.v1.submission_service_pb2_grpc import SubmissionServiceStub
from waybill.payment.v1.credit_card_service_pb2_grpc import CreditCardServiceStub
from waybill.payment.v1.ledger_service_pb2_grpc import LedgerServiceStub
from waybill.payment.v1.payment_service_pb2_grpc import PaymentServiceStub
from waybill.payment.v1.payment_type_service_pb2_grpc import PaymentTypeServiceStub
from waybill.payment.v1.provider_callback_service_pb2_grpc import ProviderCallbackServiceStub
from waybill.payment.v1.reconciliation_service_pb2_grpc import ReconciliationServiceStub
from waybill.payment.v1.spending_account_service_pb2_grpc import SpendingAccountServiceStub
from waybill.pricing.v1.cost_schedule_service_pb2_grpc import CostScheduleServiceStub
from waybill.pricing.v1.price_floor_service_pb2_grpc import PriceFloorServiceStub
from waybill.pricing.v1.price_schedule_service_pb2_grpc import PriceScheduleServiceStub
from waybill.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from waybill.pricing.v1.promotion_service_pb2_grpc import PromotionServiceStub
from waybill.pricing.v1.tax_rate_service_pb2_grpc import TaxRateServiceStub
from waybill.shipping.v1.carrier_service_pb2_grpc import CarrierServiceStub
from waybill.shipping.v1.grouping_rule_service_pb2_grpc import GroupingRuleServiceStub
from waybill.shipping.v1.rate_table_service_pb2_grpc import RateTableServiceStub
from waybill.shipping.v1.ship_method_assignment_service_pb2_grpc import ShipMethodAssignmentServiceStub
from waybill.shipping.v1.ship_method_service_pb2_grpc import ShipMethodServiceStub
from waybill.shipping.v1.zone_service_pb2_grpc import ZoneServiceStub

S = TypeVar("S")


class Service(Generic[S]):
    """A typed stub as an attribute, made when it is first asked for."""

    def __init__(self, stub: Callable[[Any], S]) -> None:
        self._stub = stub
        self._name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type[Any]) -> S:
        stub = instance.__dict__.get(self._name)
        if stub is None:
            stub = instance.__dict__[self._name] = self._stub(instance.channel)
        return stub  # type: ignore[no-any-return]


class Services:
    """Every service of a marketplace. What a caller may do is a matter of its roles."""

    channel: Any
    orders = Service(OrderServiceStub)
    approval_rules = Service(ApprovalRuleServiceStub)
    approvals = Service(ApprovalServiceStub)
    line_items = Service(LineItemServiceStub)
    carts = Service(CartServiceStub)
    checkout = Service(CheckoutServiceStub)
    products = Service(ProductServiceStub)
    catalogs = Service(CatalogServiceStub)
    categories = Service(CategoryServiceStub)
    product_assignments = Service(ProductAssignmentServiceStub)
    product_facets = Service(ProductFacetServiceStub)
    specs = Service(SpecServiceStub)
    variants = Service(VariantServiceStub)
    my_products = Service(MyProductServiceStub)
    product_proposals = Service(ProductProposalServiceStub)
    supplier_permissions = Service(SupplierPermissionServiceStub)
    pricing = Service(PricingServiceStub)
    cost_schedules = Service(CostScheduleServiceStub)
    price_floors = Service(PriceFloorServiceStub)
    price_schedules = Service(PriceScheduleServiceStub)
    promotions = Service(PromotionServiceStub)
    tax_rates = Service(TaxRateServiceStub)
    tokens = Service(TokenServiceStub)
    registrations = Service(RegistrationServiceStub)
    messages = Service(MessageServiceStub)
    sellers = Service(SellerServiceStub)
    buyers = Service(BuyerServiceStub)
    suppliers = Service(SupplierServiceStub)
    users = Service(UserServiceStub)
    user_groups = Service(UserGroupServiceStub)
    cost_centers = Service(CostCenterServiceStub)
    security_profiles = Service(SecurityProfileServiceStub)
    addresses = Service(AddressServiceStub)
    api_clients = Service(ApiClientServiceStub)
    keys = Service(KeyServiceStub)
    carriers = Service(CarrierServiceStub)
    ship_methods = Service(ShipMethodServiceStub)
    ship_method_assignments = Service(ShipMethodAssignmentServiceStub)
    zones = Service(ZoneServiceStub)
    rate_tables = Service(RateTableServiceStub)
    grouping_rules = Service(GroupingRuleServiceStub)
    payments = Service(PaymentServiceStub)
    provider_callbacks = Service(ProviderCallbackServiceStub)
    spending_accounts = Service(SpendingAccountServiceStub)
    credit_cards = Service(CreditCardServiceStub)
    payment_types = Service(PaymentTypeServiceStub)
    ledger = Service(LedgerServiceStub)
    inventory = Service(InventoryServiceStub)
    supplier_orders = Service(SupplierOrderServiceStub)
    shipments = Service(ShipmentServiceStub)
    inspection = Service(InspectionServiceStub)
    outbox = Service(OutboxServiceStub)
    audit = Service(AuditServiceStub)
    changes = Service(ChangeServiceStub)
    submissions = Service(SubmissionServiceStub)
    order_commands = Service(OrderCommandServiceStub)
    reconciliation = Service(ReconciliationServiceStub)
    order_sub_statuses = Service(OrderSubStatusServiceStub)
