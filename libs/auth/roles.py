"""Roles that the machinery of every service asks for. Those of the business are named where they are checked."""

from typing import Final

FULL_ACCESS: Final = "FullAccess"
"""Whoever has it has every role."""
AUDIT_READER: Final = "AuditReader"
INSPECTION_READER: Final = "InspectionReader"
OPERATIONS_ADMIN: Final = "OperationsAdmin"
