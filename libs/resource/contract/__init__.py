"""What a resource is and what can be asked of it: its attributes, its message, the standard methods. Knows no database."""

from libs.resource.contract.attributes import (
    Attribute,
    Storage,
    currency,
    decimal,
    document,
    enum,
    flag,
    integer,
    money,
    ref,
    refs,
    text,
    time,
    xp,
)
from libs.resource.contract.methods import Guard, Items, Methods, Then
from libs.resource.contract.shape import Shape

__all__ = [
    "Attribute",
    "Guard",
    "Items",
    "Methods",
    "Shape",
    "Storage",
    "Then",
    "currency",
    "decimal",
    "document",
    "enum",
    "flag",
    "integer",
    "money",
    "ref",
    "refs",
    "text",
    "time",
    "xp",
]
