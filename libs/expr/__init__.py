"""Expressions that other people write: checked and typed when they are saved, bounded in time and memory when they run.

The language is a part of the Common Expression Language; docs/expressions.md shows it to those who write expressions.
"""

from libs.expr.environment import MAX_LENGTH, Environment, Result
from libs.expr.expression import Cost, Expression, Part, Value, run_many
from libs.expr.faults import Fault, Faults, Place, Reason, RunError, RunReason
from libs.expr.functions import Function
from libs.expr.types import BOOL, INT, TEXT, TIME

__all__ = [
    "BOOL",
    "INT",
    "MAX_LENGTH",
    "TEXT",
    "TIME",
    "Cost",
    "Environment",
    "Expression",
    "Fault",
    "Faults",
    "Function",
    "Part",
    "Place",
    "Reason",
    "Result",
    "RunError",
    "RunReason",
    "Value",
    "run_many",
]
