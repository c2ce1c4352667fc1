"""Resources in tables: columns, statements, and the standard methods over them."""

from libs.resource.database.methods import StandardMethods
from libs.resource.database.resource import Resource, UsedBy, resource_table

__all__ = ["Resource", "StandardMethods", "UsedBy", "resource_table"]
