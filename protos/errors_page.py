"""Writes `docs/errors.md`, the table of all reasons of failure, from the contracts. Run as `python protos/errors_page.py`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.rpc import code_pb2
from grpc_tools import protoc

from waybill.type.v1.reason_options_pb2 import reason as options

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "gen" / "waybill" / "proto_files"
"""With all that they import."""
PAGE = ROOT / "docs" / "errors.md"
COMMON = "type"
HEAD = """# Errors

Every error is a `google.rpc.Status`. Its details hold an `ErrorInfo`, and with it as needed

- `BadRequest`: every field that breaks a rule, with its path and the reason, all at once. When all fields break the same rule
  this is the reason of the error too, and `field` in the metadata is the first of them; else the reason is `INVALID_REQUEST`.
- `PreconditionFailure`: every rule or status that stands against the request; its `type` is a reason.
- `RetryInfo`: when to try again.

`ErrorInfo.reason` is one of the names below, and `ErrorInfo.domain` says which table to look it up in: it is `waybill.<context>`
of the contract that has the reason, also when another service passes the error on. Of a reason that all services share the
domain is the service that gave it first. An error has the code of its reason, and at least the metadata that stands beside it.

A reason that is met *in a Problem* stands in a list of what is against an order, in `PreconditionFailure` or in a submission's
reasons, and not in `ErrorInfo`: there the service that gives the list has a reason of its own, such as `SUBMIT_REFUSED` or
`CALCULATION_REFUSED`. Its code is that of such an error.

A name may stand in several tables, since several services have the same to say. This page is made from the contracts by
`python protos/errors_page.py`.
"""


def described() -> Iterator[FileDescriptorProto]:
    """The contracts of reasons with their comments: the common ones first, then each context's."""
    names = sorted(CONTRACTS.glob("waybill/*/v1/error_reason.proto"), key=lambda path: (path.parts[-3] != COMMON, path))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "reasons.binpb"
        where = [f"-I{CONTRACTS}", f"-I{files('grpc_tools') / '_proto'}"]
        made_by = ["protoc", *where, "--include_source_info", f"--descriptor_set_out={made}", *map(str, names)]
        if protoc.main(made_by) != 0:
            raise SystemExit(1)
        yield from FileDescriptorSet.FromString(made.read_bytes()).file


def table(contract: FileDescriptorProto) -> str:
    """The reasons of one contract as a section of the page."""
    context = contract.package.split(".")[1]
    title = "Reasons that every service may give" if context == COMMON else f"Domain `waybill.{context}`"
    rows = "\n".join(rows_of(contract, contract.enum_type[0]))
    return f"\n## {title}\n\n| reason | code | metadata | meaning |\n|---|---|---|---|\n{rows}\n"


def rows_of(contract: FileDescriptorProto, enum: EnumDescriptorProto) -> Iterator[str]:
    """A row for each reason; where a comment belongs is said by the numbers of the fields that lead to it."""
    first_enum, value_of_enum = [5, 0], 2
    comments = {tuple(found.path): found.leading_comments for found in contract.source_code_info.location}
    for i, value in enumerate(enum.value):
        if value.number:
            promised = value.options.Extensions[options]
            meaning = " ".join(comments[*first_enum, value_of_enum, i].split()).replace("|", "\\|")
            keys = ", ".join(f"`{key}`" for key in promised.metadata)
            name = value.name.partition("ERROR_REASON_")[2]
            yield re.sub(r"\s+\|", " |", f"| `{name}` | {code_pb2.Code.Name(promised.code)} | {keys} | {meaning} |")


def page() -> str:
    """The whole page."""
    return HEAD + "".join(table(contract) for contract in described())


def main() -> int:
    """Writes the page."""
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
