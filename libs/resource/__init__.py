"""Standard methods (Create, BatchCreate, Get, BatchGet, List, Update, Delete) over one table per resource.

One declaration of a resource's attributes gives its columns, its conversions, its checks and what lists may filter by,
so that every simple resource of every service behaves the same. Aggregates with rules of their own do not use this.
"""

from libs.resource.attributes import Attribute, decimal, document, enum, flag, integer, money, ref, refs, text, time, xp
from libs.resource.methods import StandardMethods
from libs.resource.resource import Resource, resource_table

__all__ = [
    "Attribute",
    "Resource",
    "StandardMethods",
    "decimal",
    "document",
    "enum",
    "flag",
    "integer",
    "money",
    "ref",
    "refs",
    "resource_table",
    "text",
    "time",
    "xp",
]
