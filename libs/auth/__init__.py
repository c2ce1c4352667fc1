"""Who calls, and what they may do."""

from libs.auth.keys import KeySet
from libs.auth.principal import PartyKind, Principal
from libs.auth.service_tokens import ServiceTokens
from libs.auth.user_tokens import TokenSigner, TokenVerifier

__all__ = ["KeySet", "PartyKind", "Principal", "ServiceTokens", "TokenSigner", "TokenVerifier"]
