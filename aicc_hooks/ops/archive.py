"""The tarball of a backup: a manifest first, then exactly the files it lists."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from aicc_hooks.errors import OpsError
from aicc_hooks.ops.files import explain

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_CHUNK: Final = 1 << 20
_MAX_MANIFEST: Final = 16 << 20
_BROKEN: Final = (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError)
Progress = Callable[[int], None]  # bytes done since the last call


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its name in the archive, size in bytes, SHA-256 in hex, permissions."""

    name: str
    size: int
    sha256: str
    mode: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive holds and what made it."""

    created: float
    version: str  # of aicc
    schema: int  # of usage.db; 0: none in it
    format: int = FORMAT
    versions: dict[str, str] = field(default_factory=dict)  # litellm, python, langfuse
    notes: list[str] = field(default_factory=list)  # what was left out, and why
    files: list[Entry] = field(default_factory=list)


def pack(target: Path, manifest: Manifest, source: Callable[[str], Path], progress: Progress) -> None:
    """Write the archive, 0600, whole or not at all. Raises OpsError."""
    temp = target.with_name(f".aicc-tmp-{os.getpid()}-{target.name}")
    try:
        handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
                text = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
                _add(tar, Entry(MANIFEST, len(text), "", 0o600), io.BytesIO(text), manifest.created)
                for entry in manifest.files:
                    with source(entry.name).open("rb") as data:
                        _add(tar, entry, _Counting(data, progress), manifest.created)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(temp, target)
    except OSError as error:
        raise explain(error, target) from None
    finally:
        temp.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, entry: Entry, data: Any, when: float) -> None:
    info = tarfile.TarInfo(entry.name)
    info.size, info.mode, info.mtime = entry.size, entry.mode, int(when)
    tar.addfile(info, data)


class _Counting:
    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file, self._progress = file, progress

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._progress(len(data))
        return data


def read_manifest(path: Path) -> Manifest:
    """The manifest alone, checked for form. Raises OpsError."""
    for manifest, _, _ in _walk(path):
        return manifest
    raise OpsError(f"{path.name}: holds no manifest; it is no backup of aicc")


def unpack(path: Path, folder: Path | None, progress: Progress) -> Manifest:
    """Check every byte against the manifest, and write the files below `folder` when given.

    Refuses anything that is not a plain file the manifest lists, names that leave the folder, doubles,
    missing and changed files. Raises OpsError; `folder` may then hold a part.
    """
    seen: set[str] = set()
    manifest: Manifest | None = None
    try:
        for found, entry, data in _walk(path):
            manifest = found
            if entry is None or data is None:
                continue
            seen.add(entry.name)
            digest, size = hashlib.sha256(), 0
            out: IO[bytes] | None = None
            if folder is not None:
                place = folder / entry.name
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                out = os.fdopen(handle, "wb")
            try:
                while chunk := data.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    progress(len(chunk))
                    if out is not None:
                        out.write(chunk)
                if out is not None:
                    out.flush()
                    os.fsync(out.fileno())
            finally:
                if out is not None:
                    out.close()
            if size != entry.size or digest.hexdigest() != entry.sha256:
                raise OpsError(f"{path.name}: damaged: {entry.name} is not what was saved")
    except _BROKEN as error:
        raise OpsError(
            f"{path.name}: damaged, cut short or no backup of aicc ({type(error).__name__})"
        ) from None
    except OSError as error:
        raise explain(error, folder or path) from None
    if manifest is None:
        raise OpsError(f"{path.name}: holds no manifest; it is no backup of aicc")
    if lacking := [entry.name for entry in manifest.files if entry.name not in seen]:
        raise OpsError(f"{path.name}: damaged: {len(lacking)} file(s) are missing, e.g. {lacking[0]}")
    return manifest


def _walk(path: Path) -> Iterator[tuple[Manifest, Entry | None, IO[bytes] | None]]:
    """(manifest, None, None) first, then every file with its entry."""
    manifest: Manifest | None = None
    listed: dict[str, Entry] = {}
    try:
        # gzip apart from tarfile: only so is its checksum read, which the last bytes hold.
        with gzip.open(path) as raw, tarfile.open(fileobj=raw, mode="r|") as tar:
            for member in tar:
                if not member.isreg():
                    raise OpsError(f"{path.name}: refused: it holds something that is not a plain file")
                data = tar.extractfile(member)
                assert data is not None
                if manifest is None:
                    if member.name != MANIFEST or member.size > _MAX_MANIFEST:
                        raise OpsError(f"{path.name}: holds no manifest; it is no backup of aicc")
                    manifest = _parse(data.read(), path)
                    listed = {entry.name: entry for entry in manifest.files}
                    yield manifest, None, None
                    continue
                entry = listed.pop(member.name, None)
                if entry is None:
                    raise OpsError(f"{path.name}: refused: it holds files that its manifest does not list")
                if member.size != entry.size:  # before a byte of it is written
                    raise OpsError(f"{path.name}: damaged: {entry.name} is not what was saved")
                yield manifest, entry, data
            while raw.read(_CHUNK):
                pass
    except FileNotFoundError:
        raise OpsError(f"{path}: not found") from None
    except _BROKEN as error:
        raise OpsError(
            f"{path.name}: damaged, cut short or no backup of aicc ({type(error).__name__})"
        ) from None


def _parse(raw: bytes, path: Path) -> Manifest:
    try:
        tree = json.loads(raw)
        found = int(tree["format"])
    except (ValueError, KeyError, TypeError):
        raise OpsError(f"{path.name}: its manifest cannot be read") from None
    if found != FORMAT:
        raise OpsError(
            f"{path.name}: made by another aicc (format {found}, this one knows {FORMAT}); update aicc"
        )
    try:
        files = [
            Entry(str(f["name"]), int(f["size"]), str(f["sha256"]), int(f["mode"])) for f in tree.pop("files")
        ]
        manifest = Manifest(
            float(tree["created"]), str(tree["version"]), int(tree["schema"]), found,
            {str(k): str(v) for k, v in tree["versions"].items()}, [str(n) for n in tree["notes"]], files,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        raise OpsError(f"{path.name}: its manifest cannot be read") from None
    names = [entry.name for entry in files]
    if len(set(names)) != len(names) or not all(map(safe_name, names)):
        raise OpsError(f"{path.name}: refused: a name in it leads out of the folder, or stands there twice")
    return manifest


def safe_name(name: str) -> bool:
    """A relative path of plain parts below one of our three roots."""
    path = PurePosixPath(name)
    return (
        not path.is_absolute()
        and len(path.parts) > 1
        and path.parts[0] in ("home", "langfuse", "redis")
        and not any(part in ("..", ".", "") for part in name.split("/"))
        and not re.search(r"[\x00-\x1f\\]", name)
    )


def hash_file(path: Path) -> tuple[int, str]:
    """Size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def when(created: float) -> str:
    """For people, local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(created))
