"""`waybill keys`: the keys that sign users' tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from services.host.remote.server_options import AsJson
from services.host.remote.session import Operator, command
from services.host.remote.showing import age, show, word
from waybill.directory.v1 import key_service_pb2 as pb

keys = typer.Typer(no_args_is_help=True, help="Keys that sign users' tokens.")
COLUMNS = {"key": "bold", "state": "", "made": "", "signs from": "", "retires": "", "withdrawn": ""}


@command(keys, "list")
async def list_keys(at: Operator, json: AsJson = False) -> int:
    """Lists every key, the newest first."""
    found = (await at.ask(lambda client: client.keys.ListKeys(pb.ListKeysRequest()))).keys
    show(found, json, COLUMNS, map(_row, found), "there is no key")
    return 0


@command(keys, "rotate")
async def rotate_key(at: Operator, json: AsJson = False) -> int:
    """Makes the next key, which signs when every service has learned it; the tokens of the former one hold to their end."""
    made = (await at.ask(lambda client: client.keys.RotateKey(pb.RotateKeyRequest()))).key
    show([made], json, COLUMNS, [_row(made)], "")
    return 0


@command(keys, "withdraw")
async def withdraw_key(
    at: Operator, kid: Annotated[str, typer.Argument(metavar="KID", help="Id of the key.")], json: AsJson = False
) -> int:
    """Ends a key at once, and shows it and the key that signs now. Who holds a token of it has to sign in again."""
    answer = await at.ask(lambda client: client.keys.WithdrawKey(pb.WithdrawKeyRequest(kid=kid)))
    found = [answer.key] if answer.key == answer.signing_key else [answer.key, answer.signing_key]
    show(found, json, COLUMNS, map(_row, found), "")
    return 0


def _row(key: pb.SigningKey) -> list[str]:
    state = word(pb.SigningKeyState, key.state)
    return [key.kid, state, age(key.create_time), age(key.sign_time), age(key.retire_time), age(key.withdraw_time)]
