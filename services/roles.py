"""Names of the roles: the directory grants them, and the contract of a method names those that admit to it.

They are one contract of all services, as what a token carries is. Where the role depends on data, the use case asks for it.
"""

from typing import Final

from libs.auth.roles import AUDIT_READER, FULL_ACCESS, INSPECTION_READER, OPERATIONS_ADMIN

__all__ = [
    "ADDRESS_ADMIN",
    "ADDRESS_READER",
    "ADMIN_ADDRESS_ADMIN",
    "ADMIN_USER_ADMIN",
    "ADMIN_USER_READER",
    "ALL_ROLES",
    "API_CLIENT_ADMIN",
    "API_CLIENT_READER",
    "APPROVAL_RULE_ADMIN",
    "APPROVAL_RULE_READER",
    "AUDIT_READER",
    "BUYER_ADMIN",
    "BUYER_IMPERSONATION",
    "BUYER_READER",
    "BUYER_USER_ADMIN",
    "BUYER_USER_READER",
    "CATALOG_ADMIN",
    "CATALOG_READER",
    "CATEGORY_ADMIN",
    "CATEGORY_READER",
    "COST_CENTER_ADMIN",
    "COST_CENTER_READER",
    "CREDIT_CARD_ADMIN",
    "CREDIT_CARD_READER",
    "FULL_ACCESS",
    "INSPECTION_READER",
    "INVENTORY_ADMIN",
    "INVENTORY_READER",
    "MESSAGE_ADMIN",
    "MESSAGE_READER",
    "ME_ADDRESS_ADMIN",
    "ME_ADMIN",
    "ME_CREDIT_CARD_ADMIN",
    "ME_XP_ADMIN",
    "OPERATIONS_ADMIN",
    "ORDER_ADMIN",
    "ORDER_READER",
    "OVERRIDE_DISCOUNT",
    "OVERRIDE_FEES",
    "OVERRIDE_SHIPPING",
    "OVERRIDE_TAX",
    "OVERRIDE_UNIT_PRICE",
    "PASSWORD_RESET",
    "PAYMENT_ADMIN",
    "PRICE_SCHEDULE_ADMIN",
    "PRICE_SCHEDULE_READER",
    "PRODUCT_ADMIN",
    "PRODUCT_ASSIGNMENT_ADMIN",
    "PRODUCT_FACET_ADMIN",
    "PRODUCT_FACET_READER",
    "PRODUCT_READER",
    "PROMOTION_ADMIN",
    "PROMOTION_READER",
    "SECURITY_PROFILE_ADMIN",
    "SECURITY_PROFILE_READER",
    "SHIPMENT_ADMIN",
    "SHIPMENT_READER",
    "SHIPPING_ADMIN",
    "SHIPPING_READER",
    "SHOPPER",
    "SPENDING_ACCOUNT_ADMIN",
    "SPENDING_ACCOUNT_READER",
    "SUPPLIER_ADDRESS_ADMIN",
    "SUPPLIER_ADMIN",
    "SUPPLIER_READER",
    "SUPPLIER_USER_ADMIN",
    "SUPPLIER_USER_READER",
    "TAX_RATE_ADMIN",
    "TAX_RATE_READER",
    "UNSUBMITTED_ORDER_READER",
    "USER_ADMIN",
    "USER_GROUP_ADMIN",
    "USER_GROUP_READER",
]

SHOPPER: Final = "Shopper"
ORDER_ADMIN: Final = "OrderAdmin"
ORDER_READER: Final = "OrderReader"
UNSUBMITTED_ORDER_READER: Final = "UnsubmittedOrderReader"
SHIPMENT_ADMIN: Final = "ShipmentAdmin"
OVERRIDE_SHIPPING: Final = "OverrideShipping"
OVERRIDE_TAX: Final = "OverrideTax"
OVERRIDE_FEES: Final = "OverrideFees"
OVERRIDE_UNIT_PRICE: Final = "OverrideUnitPrice"
OVERRIDE_DISCOUNT: Final = "OverrideDiscount"
PRODUCT_ADMIN: Final = "ProductAdmin"
PRODUCT_ASSIGNMENT_ADMIN: Final = "ProductAssignmentAdmin"
PRODUCT_FACET_ADMIN: Final = "ProductFacetAdmin"
CATALOG_ADMIN: Final = "CatalogAdmin"
CATEGORY_ADMIN: Final = "CategoryAdmin"
PRICE_SCHEDULE_ADMIN: Final = "PriceScheduleAdmin"
TAX_RATE_ADMIN: Final = "TaxRateAdmin"
SHIPPING_ADMIN: Final = "ShippingAdmin"
SPENDING_ACCOUNT_ADMIN: Final = "SpendingAccountAdmin"
COST_CENTER_ADMIN: Final = "CostCenterAdmin"
APPROVAL_RULE_ADMIN: Final = "ApprovalRuleAdmin"
CREDIT_CARD_ADMIN: Final = "CreditCardAdmin"
ME_CREDIT_CARD_ADMIN: Final = "MeCreditCardAdmin"
PAYMENT_ADMIN: Final = "PaymentAdmin"
INVENTORY_ADMIN: Final = "InventoryAdmin"
BUYER_ADMIN: Final = "BuyerAdmin"
BUYER_IMPERSONATION: Final = "BuyerImpersonation"
SUPPLIER_ADMIN: Final = "SupplierAdmin"
USER_ADMIN: Final = "UserAdmin"
BUYER_USER_ADMIN: Final = "BuyerUserAdmin"
SUPPLIER_USER_ADMIN: Final = "SupplierUserAdmin"
ADMIN_USER_ADMIN: Final = "AdminUserAdmin"
USER_GROUP_ADMIN: Final = "UserGroupAdmin"
USER_GROUP_READER: Final = "UserGroupReader"
SECURITY_PROFILE_ADMIN: Final = "SecurityProfileAdmin"
SECURITY_PROFILE_READER: Final = "SecurityProfileReader"
ADDRESS_ADMIN: Final = "AddressAdmin"
ADMIN_ADDRESS_ADMIN: Final = "AdminAddressAdmin"
SUPPLIER_ADDRESS_ADMIN: Final = "SupplierAddressAdmin"
ME_ADDRESS_ADMIN: Final = "MeAddressAdmin"
API_CLIENT_ADMIN: Final = "ApiClientAdmin"
MESSAGE_ADMIN: Final = "MessageAdmin"
ME_ADMIN: Final = "MeAdmin"
ME_XP_ADMIN: Final = "MeXpAdmin"
PASSWORD_RESET: Final = "PasswordReset"
PROMOTION_ADMIN: Final = "PromotionAdmin"
# Readers see what the administrators of the same name see, and change nothing.
ADDRESS_READER: Final = "AddressReader"
API_CLIENT_READER: Final = "ApiClientReader"
ADMIN_USER_READER: Final = "AdminUserReader"
BUYER_READER: Final = "BuyerReader"
BUYER_USER_READER: Final = "BuyerUserReader"
CATALOG_READER: Final = "CatalogReader"
CATEGORY_READER: Final = "CategoryReader"
COST_CENTER_READER: Final = "CostCenterReader"
APPROVAL_RULE_READER: Final = "ApprovalRuleReader"
CREDIT_CARD_READER: Final = "CreditCardReader"
INVENTORY_READER: Final = "InventoryReader"
MESSAGE_READER: Final = "MessageReader"
PRICE_SCHEDULE_READER: Final = "PriceScheduleReader"
PRODUCT_FACET_READER: Final = "ProductFacetReader"
PRODUCT_READER: Final = "ProductReader"
PROMOTION_READER: Final = "PromotionReader"
SHIPMENT_READER: Final = "ShipmentReader"
SHIPPING_READER: Final = "ShippingReader"
SPENDING_ACCOUNT_READER: Final = "SpendingAccountReader"
SUPPLIER_READER: Final = "SupplierReader"
SUPPLIER_USER_READER: Final = "SupplierUserReader"
TAX_RATE_READER: Final = "TaxRateReader"

ALL_ROLES: Final = frozenset(value for name, value in dict(globals()).items() if name.isupper())
"""Every role there is; FullAccess has them all."""
