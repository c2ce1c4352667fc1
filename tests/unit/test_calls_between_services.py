"""Which service calls what: the contracts name, for every method, the services that call it, and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from libs.rpc.access import access_of
from services.host.contexts import CONTEXTS
from tests.support.contracts import services

SERVICES = Path(__file__).parents[2] / "services"
UNCALLED = {
    "fulfillment.OrderFulfillmentService.BatchGetOrderFulfillment",
    "pricing.RedemptionService.ConfirmRedemptions",
    "pricing.RedemptionService.ReleaseRedemptions",
    "pricing.RedemptionService.VoidRedemptions",
}
"""Methods that stand open to services none of which calls them yet."""
VERIFYING = ("directory.TokenService.GetKeySet", "directory.RevocationService.ListRevocations")
"""What every service asks for by which it verifies tokens; the host calls it in the name of a service."""


def stub_of(made: ast.expr | None) -> tuple[str, str] | None:
    """The context and the service that a stub is for, where an expression makes one: `peers.stub("order", module.XStub)`."""
    if not (isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr == "stub"):
        return None
    context, kind = made.args
    assert isinstance(context, ast.Constant)
    assert isinstance(kind, ast.Attribute)
    return str(context.value), kind.attr.removesuffix("Stub")


def stubs(module: ast.Module) -> dict[str, str]:
    """By the name of the attribute or variable that holds a stub: the service that it calls."""
    found: dict[str, str] = {}
    for node in ast.walk(module):
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0] if isinstance(node, ast.Assign) else None
        made = stub_of(node.value) if isinstance(node, ast.AnnAssign | ast.Assign) else None
        if made is not None:
            assert isinstance(target, ast.Attribute | ast.Name)
            name = target.attr if isinstance(target, ast.Attribute) else target.id
            assert name not in found
            found[name] = ".".join(made)
    return found


def called(path: Path) -> Iterator[str]:
    """What the stubs of classes of one file call. Each class is looked at by itself, since their attributes may share names."""
    for part in ast.parse(path.read_text()).body:
        held = stubs(ast.Module([part], []))
        for node in ast.walk(part):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            holder = node.func.value
            name = holder.attr if isinstance(holder, ast.Attribute) else holder.id if isinstance(holder, ast.Name) else ""
            if name in held:
                yield f"{held[name]}.{node.func.attr}"


def test_the_contracts_name_exactly_the_services_that_call_a_method() -> None:
    calling = {
        (context, method)
        for context in CONTEXTS
        for path in (SERVICES / context).rglob("*.py")
        for method in (*called(path), *VERIFYING)
    }
    assert len(calling) > 30
    admitted = {
        (service, f"{contract.full_name.split('.')[1]}.{contract.name}.{method.name}")
        for contract in services()
        for method in contract.methods
        for service in access_of(method).services
    }
    assert calling - admitted == set()
    assert {method for _, method in admitted - calling} == UNCALLED


def test_services_are_named_as_they_are_called_by() -> None:
    named = {service for contract in services() for method in contract.methods for service in access_of(method).services}
    assert named <= set(CONTEXTS)
