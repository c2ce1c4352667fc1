"""The keys that seal what is secret in the directory's database: given by the settings, or kept for the user beside no data.

A data folder needs no setting. Its key is made at the first start and kept in the user's configuration folder, in a file that
bears the key's fingerprint; the sealed rows name the same one, and so does an archive. So a folder that is moved, or restored
elsewhere by the same user, finds its key.
"""

from __future__ import annotations

import os
from pathlib import Path

from libs.db.url import parsed_url
from libs.private import FILE, FOLDER, private_folder
from libs.sealing import FindKeys, SealingKeys, new_key
from libs.service.startup import StartupError
from services.host.process.settings import HostSettings

REMEDY = "Make one with: waybill sealing-key new FILE, and name the file by WAYBILL_SEALING_KEY_FILE"


class SealingKeyError(StartupError):
    """The key that seals is missing, none, or where it must not be."""

    exit_code = 2
    reason = "SEALING_KEY_INVALID"


def sealing_keys(host: HostSettings) -> FindKeys:
    """How a process that hosts the directory finds its keys. Raises `SealingKeyError` for settings that are wrong."""
    if host.sealing_key:
        given = given_keys(host)
        return lambda _: given
    if not host.keeps_sealing_key:
        raise SealingKeyError(f"WAYBILL_SEALING_KEY_FILE is missing: the directory seals the keys of tokens by it. {REMEDY}")
    folder = kept_folder(host)
    return lambda wanted: _kept(folder, wanted) if wanted else _made(folder)


def found_of(host: HostSettings, wanted: frozenset[str]) -> frozenset[str]:
    """Which keys with these fingerprints the settings give, or the user has. Raises `SealingKeyError`."""
    given = set(given_keys(host).fingerprints) if host.sealing_key else set()
    if host.keeps_sealing_key and wanted - given:
        folder = kept_folder(host)
        given |= {one for one in wanted if (folder / _name(one)).exists() and one in _kept(folder, frozenset([one])).fingerprints}
    return frozenset(given)


def given_keys(host: HostSettings) -> SealingKeys:
    """Those of the settings. Raises `SealingKeyError`."""
    file = host.files.get("sealing_key")
    if file is not None and (folder := _folder_with(host, file)):
        raise SealingKeyError(f"WAYBILL_SEALING_KEY_FILE: {file} lies in {folder}, whose keys it seals: keep it elsewhere")
    try:
        return SealingKeys.read(host.sealing_key)
    except ValueError as error:
        raise SealingKeyError(f"{f'the sealing key in {file}' if file else 'WAYBILL_SEALING_KEY'} is none: {error}") from None


def kept_folder(host: HostSettings) -> Path:
    """Where the user's sealing keys are. Raises `SealingKeyError` when that is within the data."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        folder = (Path(base) if base and Path(base).is_absolute() else Path.home() / ".config") / "waybill" / "sealing-keys"
    except RuntimeError:
        raise SealingKeyError(
            f"there is no configuration folder to keep the sealing key in: no home is known. {REMEDY}"
        ) from None
    if data := _folder_with(host, folder):
        raise SealingKeyError(f"the configuration folder {folder} lies in {data}, whose keys it seals. {REMEDY}")
    return folder


def _folder_with(host: HostSettings, path: Path) -> Path | None:
    """The folder of SQLite files that the path lies in, if any."""
    parsed = parsed_url(host.database("directory")[0])
    if parsed.get_backend_name() != "sqlite":
        return None
    folders = (host.folder, Path(parsed.database or "").parent)
    return next((folder for folder in folders if path.resolve().is_relative_to(folder.resolve())), None)


def _name(fingerprint: str) -> str:
    return f"{fingerprint}.key"


def _made(folder: Path) -> SealingKeys:
    """A new key. It is there whole, and durable, before anything is sealed by it."""
    text = new_key()
    keys = SealingKeys.read(text)
    try:
        for one in (folder.parent, folder):
            private_folder(one)
        write_key(folder / _name(keys.first), text)
    except OSError as error:
        raise SealingKeyError(f"the sealing key cannot be kept in {folder}: {error.strerror}. {REMEDY}") from None
    return keys


def write_key(path: Path, text: str) -> None:
    """A new file that only its owner can read; whole when it appears under its name. Raises OSError, FileExistsError too."""
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE), "w") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(made, path)
    finally:
        made.unlink(missing_ok=True)
    place = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _kept(folder: Path, wanted: frozenset[str]) -> SealingKeys:
    """Those that were kept under these names. Raises `SealingKeyError` when one is missing, not private, or another one."""
    texts = []
    for fingerprint in sorted(wanted):
        path = folder / _name(fingerprint)
        try:
            if path.stat().st_mode & 0o077:
                raise SealingKeyError(f"the sealing key in {path} can be read by others: chmod 600 {path}")
            text = path.read_text("ascii")
        except FileNotFoundError:
            raise SealingKeyError(
                f"the keys of tokens are sealed by the sealing key {fingerprint}, and {path} does not exist: put it there, or "
                "name another file with it by WAYBILL_SEALING_KEY_FILE; if it is lost: `waybill sealing-key lost`"
            ) from None
        except OSError as error:
            raise SealingKeyError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SealingKeyError(f"the sealing key in {path} is none: it is not text") from None
        try:
            given = SealingKeys.read(text).fingerprints
        except ValueError as error:
            raise SealingKeyError(f"the sealing key in {path} is none: {error}") from None
        if fingerprint not in given:
            raise SealingKeyError(
                f"the keys of tokens are sealed by the sealing key {fingerprint}, and {path} holds {', '.join(given)}"
            )
        texts.append(text)
    return SealingKeys.read("\n".join(texts))
