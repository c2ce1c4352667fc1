"""Who calls, and what they may do."""

from libs.auth.keys import KeySet
from libs.auth.principal import PartyKind, Principal
from libs.auth.revocations import Generations
from libs.auth.service_keys import KeyPairs, SharedSecret
from libs.auth.service_tokens import ServiceTokens
from libs.auth.user_tokens import TokenSigner, TokenVerifier

__all__ = [
    "Generations",
    "KeyPairs",
    "KeySet",
    "PartyKind",
    "Principal",
    "ServiceTokens",
    "SharedSecret",
    "TokenSigner",
    "TokenVerifier",
]
