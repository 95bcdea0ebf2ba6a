"""The stored form of an answer: versioned, bound to its key, checksummed."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAGIC: Final = b"AICC"
VERSION: Final = 1
_HEAD: Final = struct.Struct(">4sBBdII16s")  # magic, version, flags, created, ttl, length of meta, checksum
_COMPRESSED: Final = 1
_COMPRESS_FROM: Final = 2048
_MAX_PLAIN: Final = 64 * 1024 * 1024  # a corrupt or planted entry must not unpack without bound


class CorruptEntry(Exception):
    """The stored bytes are not what was written."""


class ForeignVersion(Exception):
    """Written by another version of this package; not ours to judge or delete."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its birth (wall clock, seconds) and lifetime (seconds)."""

    value: bytes
    created: float
    ttl: int
    meta: Mapping[str, Any] = field(default_factory=dict)


def pack(entry: Entry, *, key: str, secret: bytes) -> bytes:
    """Bytes for the store. The checksum is keyed and covers the key: an entry moved elsewhere is corrupt."""
    meta = json.dumps(entry.meta, separators=(",", ":")).encode()
    flags, value = 0, entry.value
    if len(value) >= _COMPRESS_FROM:
        flags, value = _COMPRESSED, zlib.compress(value, 1)
    check = _checksum(key, secret, VERSION, flags, entry.created, entry.ttl, meta, value)
    return _HEAD.pack(MAGIC, VERSION, flags, entry.created, entry.ttl, len(meta), check) + meta + value


def unpack(raw: bytes, *, key: str, secret: bytes) -> Entry:
    """The entry; raises CorruptEntry or ForeignVersion."""
    if len(raw) >= 5 and raw[:4] == MAGIC and raw[4] != VERSION:
        raise ForeignVersion
    if len(raw) < _HEAD.size or raw[:4] != MAGIC:
        raise CorruptEntry
    _, version, flags, created, ttl, size, check = _HEAD.unpack_from(raw)
    meta, value = raw[_HEAD.size : _HEAD.size + size], raw[_HEAD.size + size :]
    if _checksum(key, secret, version, flags, created, ttl, meta, value) != check:
        raise CorruptEntry
    try:
        if flags & _COMPRESSED:
            unpacker = zlib.decompressobj()
            value = unpacker.decompress(value, _MAX_PLAIN)
            if not unpacker.eof:
                raise CorruptEntry
        return Entry(value, created, ttl, json.loads(meta))
    except (zlib.error, ValueError) as error:
        raise CorruptEntry from error


def _checksum(
    key: str, secret: bytes, version: int, flags: int, created: float, ttl: int, meta: bytes, value: bytes
) -> bytes:
    digest = hashlib.blake2b(key=secret, digest_size=16)
    digest.update(f"{key}|{version}|{flags}|{created!r}|{ttl}|{len(meta)}|".encode())
    digest.update(meta)
    digest.update(value)
    return digest.digest()
