"""Where a marketplace is served, as a person says it: `host:port` for all, `order=host:port` for one context,
as often as it has replicas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.host.addresses import AddressError, require_callable
from services.host.contexts import CONTEXTS


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses by context."""

    default: str
    """For contexts that are not named; the directory's when none is given for all."""
    contexts: dict[str, str]

    @property
    def every(self) -> list[str]:
        """Each address once, the directory's first."""
        return list(dict.fromkeys(self.contexts.get(context, self.default) for context in CONTEXTS))


def parsed(given: Iterable[str]) -> Servers:
    """Reads them. Raises `AddressError` when a context is unknown or left without a server."""
    default, contexts = "", dict[str, str]()
    for text in given:
        context, named, address = text.partition("=")
        if not named:
            default = require_callable(text)
        elif context in CONTEXTS and address:
            require_callable(address)
            contexts[context] = f"{contexts[context]},{address}" if context in contexts else address
        else:
            raise AddressError(f"{text!r} is neither host:port nor one of {', '.join(CONTEXTS)}, an equals sign and host:port")
    missing = [context for context in CONTEXTS if not default and context not in contexts]
    if missing:
        raise AddressError(f"no server is given for {', '.join(missing)}")
    return Servers(default or contexts[CONTEXTS[0]], contexts)
