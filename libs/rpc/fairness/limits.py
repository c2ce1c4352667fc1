"""How much outside callers may ask of a process at the same time, together and each."""

from __future__ import annotations

from dataclasses import dataclass

from libs.rpc.fairness.sources import networks
from libs.service.settings import setting


def _share(default: int, meaning: str) -> int:
    return setting(default, meaning, unit="%", at_least=1, at_most=100)


@dataclass(frozen=True, slots=True)
class OutsideLimits:
    """Places for outside callers, and the shares of them that one caller can have. Shares hold for calls, streams and waiting
    reads alike, each by themselves."""

    max_calls: int = setting(
        256,
        "Calls of outside callers served at the same time; more are refused with RESOURCE_EXHAUSTED. Calls between services "
        "are never refused.",
        at_least=1,
    )
    max_streams: int = setting(
        1_000, "Streams, such as WatchOrders, that outside callers may have open at the same time.", at_least=1
    )
    max_waiting: int = setting(
        1_000,
        "Calls of outside callers that wait for something to happen, such as a version to be reported; they have no place "
        "among the calls meanwhile.",
        at_least=1,
    )
    user_share: int = _share(25, "Of these places, how many one user can have.")
    user_at_once: int = setting(
        16,
        "Calls of one user that run at the same time while no other user wants anything; the others have a place and wait for "
        "their turn. While several users do, each of them has as many, from one on, as hardly make each other slower.",
        at_least=1,
    )
    company_share: int = _share(50, "How many the users of one company can have together.")
    source_share: int = _share(50, "How many can be had from one address (of IPv6: one /64), unless it is a trusted proxy's.")
    anonymous_share: int = _share(
        12, "How many calls without a token can have together, such as sign-ins; one address has its share of these."
    )
    shoppers_share: int = _share(
        90, "How many all who are not the seller's users can have together; the rest is kept for those who run the marketplace."
    )
    taken_ids: int = setting(
        100,
        "How often within an hour one process answers one user, who is not the seller's, that an id or a user name is taken.",
        at_least=1,
        at_most=1_000_000,
    )
    refusals: int = setting(
        100,
        "Refusals in a second, of a token or for too many calls, that one address is answered at once; when it has had four "
        "seconds' worth of them, further ones are answered later, the later the more of them wait.",
        at_least=1,
    )
    trusted_proxies: str = setting(
        "",
        "Addresses and networks of proxies, with commas between them, whose x-forwarded-for says where a call comes from.",
        check=networks,
    )


DEFAULT = OutsideLimits()
