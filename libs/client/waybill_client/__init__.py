"""The Python client of Waybill: typed stubs with a token, errors that say what is wrong, and the short way to an order."""

from waybill_client.aio import AsyncWaybill
from waybill_client.errors import FieldViolation, RuleViolation, WaybillError
from waybill_client.money import decimal, money, text
from waybill_client.sync import Waybill

__all__ = ["AsyncWaybill", "FieldViolation", "RuleViolation", "Waybill", "WaybillError", "decimal", "money", "text"]
