"""Why a service cannot start on its database, in one line."""

from __future__ import annotations

from libs.service.startup import StartupError
from waybill.type.v1 import reasons


class DatabaseUrlError(StartupError, ValueError):
    """The URL names no database that can be used; waiting does not help."""

    exit_code = 2
    reason = "DATABASE_URL_INVALID"


class UnreachableError(StartupError):
    """The database did not answer for as long as was to be waited."""

    reason = reasons.DATABASE_UNAVAILABLE


class SchemaError(StartupError):
    """The database's tables are too old or too new for this build."""

    reason = "SCHEMA_MISMATCH"
