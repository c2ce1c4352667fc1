"""Who calls, and what they may do."""

from libs.auth.principal import PartyKind, Principal
from libs.auth.tokens import ServiceTokens, TokenSigner, TokenVerifier

__all__ = ["PartyKind", "Principal", "ServiceTokens", "TokenSigner", "TokenVerifier"]
