"""The settings of the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.sealing import SealingKeys
from libs.service.service_settings import ServiceSettings
from libs.service.settings import URL, seconds, setting
from services.directory.application.people.registration_limits import RegistrationLimits
from services.directory.application.tokens.throttle import Limits


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
    argon2_threads: int = setting(
        0, "Threads that compute hashes; 0 for as many as there are cores but one.", at_least=0, at_most=1_024
    )
    argon2_queue: int = setting(
        64,
        "Checks of passwords and secrets that may wait for these threads; more are refused, and one address has a quarter.",
        at_least=1,
        at_most=100_000,
    )
    failed_sign_ins: int = setting(
        10,
        "Failed sign-ins of one name from one address within the window, after which more are refused.",
        at_least=1,
        at_most=1_000,
    )
    failed_sign_ins_of_source: int = setting(
        20,
        "Failed sign-ins from one address within the window, whatever the names, after which it is refused those names that "
        "have not signed in from there lately.",
        at_least=1,
        at_most=1_000_000,
    )
    failed_sign_ins_of_name: int = setting(
        100,
        "Failed sign-ins of one name within the window, wherever they come from, after which addresses are refused from which "
        "it has not signed in lately.",
        at_least=1,
        at_most=1_000_000,
    )
    failed_sign_in_window: float = seconds(60.0, "The window in which failed sign-ins count.", at_least=1.0, at_most=86_400.0)
    known_sources: int = setting(
        30, "How long an address stays known for a name that has signed in from it.", unit="days", at_least=2, at_most=3_650
    )
    registrations_of_source: int = setting(
        20, "Registrations from one address within the window, after which more are refused.", at_least=1, at_most=1_000_000
    )
    registrations_of_email: int = setting(
        5, "Registrations with one e-mail address within the window, after which more are refused.", at_least=1, at_most=1_000
    )
    registrations_of_client: int = setting(
        1_000,
        "Registrations through one API client within the window, after which more are refused.",
        at_least=1,
        at_most=1_000_000,
    )
    registration_window: float = seconds(3_600.0, "The window in which registrations count.", at_least=1.0, at_most=86_400.0)
    registration_lifetime: int = setting(24, "How long a registration can be confirmed.", unit="hours", at_least=1, at_most=720)
    message_retention: int = setting(30, "How long messages to people are kept.", unit="days", at_least=1, at_most=365)
    address_retention: int = setting(
        30,
        "How long the log of administrative acts says from which network address sign-ins or registrations were refused; its "
        "entry stays without it.",
        unit="days",
        at_least=1,
        at_most=3_650,
    )
    batch_hashes: int = setting(
        2,
        "Passwords of one batch of users that are hashed at the same time, so that those who sign in come in between.",
        at_least=1,
        at_most=64,
    )

    @property
    def sign_in_limits(self) -> Limits:
        """After how many failures more are refused."""
        return Limits(
            self.failed_sign_ins,
            self.failed_sign_ins_of_source,
            self.failed_sign_ins_of_name,
            timedelta(seconds=self.failed_sign_in_window),
            timedelta(days=self.known_sources),
        )

    @property
    def registration_limits(self) -> RegistrationLimits:
        """After how many more are refused."""
        return RegistrationLimits(
            self.registrations_of_source,
            self.registrations_of_email,
            self.registrations_of_client,
            timedelta(seconds=self.registration_window),
            self.failed_sign_ins_of_source,
            timedelta(seconds=self.failed_sign_in_window),
        )

    sealing: SealingKeys | None = None
    """What private halves of keys are sealed by. The host finds it; it stands in no setting of the service."""

    @property
    def sealing_keys(self) -> SealingKeys:
        """The same, where private halves are made or used."""
        if self.sealing is None:
            raise RuntimeError("the directory was given no sealing key: it neither makes nor uses keys of tokens without one")
        return self.sealing

    @property
    def audience(self) -> str:
        """Whom tokens are for, when not for the services alone."""
        return f"{self.public_url}/ordercloud" if self.public_url else ""
