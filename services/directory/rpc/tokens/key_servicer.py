"""KeyService."""

from __future__ import annotations

from typing import Any

from libs.idempotency.key import key_of
from libs.protoconv import time_out
from libs.rpc import current
from services.directory.application.tokens.signing_keys import ShownKey, SigningKeys
from waybill.directory.v1 import key_service_pb2 as pb
from waybill.directory.v1 import key_service_pb2_grpc as pb_grpc


class KeyServicer(pb_grpc.KeyServiceServicer):
    """Keys that sign tokens."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    async def ListKeys(self, request: pb.ListKeysRequest, context: Any) -> pb.ListKeysResponse:
        return pb.ListKeysResponse(keys=map(_message, await self._keys.list()))

    async def RotateKey(self, request: pb.RotateKeyRequest, context: Any) -> pb.RotateKeyResponse:
        made = await self._keys.rotate(key_of(current().principal, current().method, request))
        return pb.RotateKeyResponse(key=_message(made))

    async def WithdrawKey(self, request: pb.WithdrawKeyRequest, context: Any) -> pb.WithdrawKeyResponse:
        known = key_of(current().principal, current().method, request)
        ended, signs = await self._keys.withdraw(request.kid, known)
        return pb.WithdrawKeyResponse(key=_message(ended), signing_key=_message(signs))


def _message(shown: ShownKey) -> pb.SigningKey:
    key = shown.key
    return pb.SigningKey(
        kid=key.kid,
        state=pb.SigningKeyState.Value(f"SIGNING_KEY_STATE_{shown.state}"),
        create_time=time_out(key.create_time),
        sign_time=time_out(key.sign_time),
        retire_time=None if key.retire_time is None else time_out(key.retire_time),
        withdraw_time=None if key.withdraw_time is None else time_out(key.withdraw_time),
    )
