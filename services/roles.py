"""Names of the roles: the directory grants them, and the contract of a method names those that admit to it.

They are one contract of all services, as what a token carries is. Where the role depends on data, the use case asks for it.
"""

from typing import Final

from libs.auth.roles import FULL_ACCESS, INSPECTION_READER, OPERATIONS_ADMIN

__all__ = [
    "ADDRESS_ADMIN",
    "ALL_ROLES",
    "API_CLIENT_ADMIN",
    "INSPECTION_READER",
    "BUYER_ADMIN",
    "BUYER_IMPERSONATION",
    "CREDIT_CARD_ADMIN",
    "FULL_ACCESS",
    "INVENTORY_ADMIN",
    "ME_ADDRESS_ADMIN",
    "ME_ADMIN",
    "ME_CREDIT_CARD_ADMIN",
    "ME_XP_ADMIN",
    "OPERATIONS_ADMIN",
    "ORDER_ADMIN",
    "ORDER_READER",
    "OVERRIDE_DISCOUNT",
    "OVERRIDE_SHIPPING",
    "OVERRIDE_TAX",
    "OVERRIDE_UNIT_PRICE",
    "PASSWORD_RESET",
    "PAYMENT_ADMIN",
    "PRICE_SCHEDULE_ADMIN",
    "PRODUCT_ADMIN",
    "SHIPMENT_ADMIN",
    "SHIPPING_ADMIN",
    "SHOPPER",
    "SECURITY_PROFILE_ADMIN",
    "SECURITY_PROFILE_READER",
    "SPENDING_ACCOUNT_ADMIN",
    "SUPPLIER_ADMIN",
    "TAX_RATE_ADMIN",
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
OVERRIDE_UNIT_PRICE: Final = "OverrideUnitPrice"
OVERRIDE_DISCOUNT: Final = "OverrideDiscount"
PRODUCT_ADMIN: Final = "ProductAdmin"
PRICE_SCHEDULE_ADMIN: Final = "PriceScheduleAdmin"
TAX_RATE_ADMIN: Final = "TaxRateAdmin"
SHIPPING_ADMIN: Final = "ShippingAdmin"
SPENDING_ACCOUNT_ADMIN: Final = "SpendingAccountAdmin"
CREDIT_CARD_ADMIN: Final = "CreditCardAdmin"
ME_CREDIT_CARD_ADMIN: Final = "MeCreditCardAdmin"
PAYMENT_ADMIN: Final = "PaymentAdmin"
INVENTORY_ADMIN: Final = "InventoryAdmin"
BUYER_ADMIN: Final = "BuyerAdmin"
BUYER_IMPERSONATION: Final = "BuyerImpersonation"
SUPPLIER_ADMIN: Final = "SupplierAdmin"
USER_ADMIN: Final = "UserAdmin"
USER_GROUP_ADMIN: Final = "UserGroupAdmin"
USER_GROUP_READER: Final = "UserGroupReader"
SECURITY_PROFILE_ADMIN: Final = "SecurityProfileAdmin"
SECURITY_PROFILE_READER: Final = "SecurityProfileReader"
ADDRESS_ADMIN: Final = "AddressAdmin"
ME_ADDRESS_ADMIN: Final = "MeAddressAdmin"
API_CLIENT_ADMIN: Final = "ApiClientAdmin"
ME_ADMIN: Final = "MeAdmin"
ME_XP_ADMIN: Final = "MeXpAdmin"
PASSWORD_RESET: Final = "PasswordReset"

ALL_ROLES: Final = frozenset(value for name, value in dict(globals()).items() if name.isupper())
"""Every role there is; FullAccess has them all."""
