"""Resources in tables: columns, statements, and the standard methods over them."""

from libs.resource.database.methods import StandardMethods
from libs.resource.database.resource import Resource, resource_table

__all__ = ["Resource", "StandardMethods", "resource_table"]
