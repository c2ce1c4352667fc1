"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

from libs.service.service_settings import ServiceSettings
from libs.service.settings import URL, seconds, setting


@dataclass(frozen=True, slots=True)
class Settings(ServiceSettings):
    """Who owns the marketplace, and how dear and how often a password is checked. Times are in seconds."""

    seller_id: str = setting("seller", "Id of the seller of a marketplace that is set up now.", pattern="[A-Za-z0-9_-]{1,100}")
    seller_name: str = setting("Seller", "Name of the seller of a marketplace that is set up now.")
    public_url: str = setting(
        "",
        "Where clients of OrderCloud's interface reach the marketplace: https://shop.example. Tokens are then for that URL with "
        "/ordercloud behind it, where these clients look for the keys.",
        pattern=r"https?://[^\s?#]*[^\s?#/]",
        shown=URL,
    )
    key_lead: float = seconds(
        60.0,
        "How long a new key of tokens is published before it signs: twice the key_refresh of the processes that verify tokens.",
        at_least=0.0,
        at_most=86_400.0,
    )
    argon2_time: int = setting(2, "Passes that argon2id makes for one hash of a password or secret.", at_least=1, at_most=100)
    argon2_memory_kib: int = setting(
        19_456, "Memory that argon2id fills for one hash.", unit="KiB", at_least=8, at_most=4_194_304
    )
    failed_sign_ins: int = setting(
        10,
        "Failed sign-ins of one client and user name within the window, after which more are refused.",
        at_least=1,
        at_most=1_000,
    )
    failed_sign_in_names: int = setting(
        10_000,
        "Names whose failed sign-ins one process remembers; the one that failed longest ago is forgotten first.",
        at_least=100,
        at_most=10_000_000,
    )
    batch_hashes: int = setting(
        2,
        "Passwords of one batch of users that are hashed at the same time; the other threads are for those who sign in.",
        at_least=1,
        at_most=64,
    )
    failed_sign_in_window: float = seconds(60.0, "The window in which failed sign-ins count.", at_least=1.0, at_most=86_400.0)

    @property
    def audience(self) -> str:
        """Whom tokens are for, when not for the services alone."""
        return f"{self.public_url}/ordercloud" if self.public_url else ""
