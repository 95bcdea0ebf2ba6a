"""Attachments in content parts of the OpenAI, Responses and Anthropic shapes: text is decoded, the rest named."""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from aicc_hooks.payload.magic import head_of, kind_of

_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml",
               "application/javascript", "application/x-sh", "application/csv", "message/", "image/svg")  # fmt: skip
_URL_FIELDS = {"image_url": "image", "audio_url": "audio", "video_url": "file", "file_url": "file"}
_MEDIA_FIELDS = ("mimeType", "mime_type", "media_type")  # MCP's, Google's, Anthropic's
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
_DOCUMENTS = (b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/_-]")
_URLSAFE = str.maketrans("-_", "+/")
# A data URL's header in its ordinary form; anything more may hide text and is scanned.
_PLAIN_HEADER = re.compile(r"(?:[a-z]+/[a-z0-9.+-]{1,40})?(?:;charset=[\w-]{1,20})?(?:;base64)?", re.I)
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
         (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """`text`: what of it can be read. `unread`: image, audio or file when nobody here can read all of it, else "".

    `rest`: the part without it, still to be scanned.
    """

    kind: str  # image | audio | file
    text: str | None
    unread: str
    rest: dict[str, Any] = field(default_factory=dict)
    link: str = ""  # an address, or an unusual data URL header; either may hold a token


def attachment(part: Mapping[str, Any], kind: str) -> Attachment | None:
    """The first attachment a content part of type `kind` carries, or None. Call again with its `rest`."""
    for name, sort in _URL_FIELDS.items():
        if name in part:
            url, rest = _take(part, name, "url")
            return _from_url(url, sort, rest)
    if "input_audio" in part:
        data, rest = _take(part, "input_audio", "data")
        return _from_data(data, "audio/*", "audio", rest)
    holder = part.get("file")
    for outer in ("file", ""):
        inner = holder if outer else part
        if isinstance(inner, Mapping):
            for name in ("file_data", "file_id", "file_url"):
                if name in inner:
                    value, rest = _take(part, outer, name) if outer else _take(part, name, "")
                    return (
                        _from_file(value, rest)
                        if name == "file_data"
                        else Attachment("file", None, "file", rest, value)
                    )
    source = part.get("source")
    if isinstance(source, Mapping) and kind in ("image", "document"):
        return _anthropic(part, source, "image" if kind == "image" else "file")
    return _bare(part, kind)


def _bare(part: Mapping[str, Any], kind: str) -> Attachment | None:
    """Base64 right in the part, as MCP's tools return it, and a picture the provider made."""
    if kind == "image_generation_call" and isinstance(part.get("result"), str):
        data, rest = _take(part, "result", "")
        return _from_data(data, "image/*", "image", rest)
    resource = part.get("resource")
    if isinstance(resource, Mapping) and "blob" in resource:
        data, rest = _take(part, "resource", "blob")
        return _from_data(data, _media_of(resource), "file", rest)
    media = _media_of(part)
    sort = kind if kind in ("image", "audio") else "file"
    for name in ("data", "blob"):
        if isinstance(part.get(name), str) and (media or sort == kind):
            data, rest = _take(part, name, "")
            return _from_data(data, media or f"{sort}/*", sort, rest)
    return None


def _media_of(part: Mapping[str, Any]) -> str:
    return next((v.strip().lower() for name in _MEDIA_FIELDS if isinstance(v := part.get(name), str)), "")


def _take(part: Mapping[str, Any], outer: str, inner: str) -> tuple[str, dict[str, Any]]:
    """`part[outer][inner]` (or `part[outer]` where that is a string) and the part without it."""
    rest = dict(part)
    value = rest.pop(outer)
    if isinstance(value, Mapping):
        left = {k: v for k, v in value.items() if k != inner}
        if left:
            rest[f"{outer}_fields"] = left
        value = value.get(inner)
    return _words(value), rest


def _words(value: Any) -> str:
    """Text as it is, also where a client put it into a list or an object: a written-out one would escape its line breaks."""
    if isinstance(value, Mapping):
        return "\n".join(part for pair in value.items() for part in map(_words, pair))
    if isinstance(value, list):
        return "\n".join(map(_words, value))
    return "" if value is None else str(value)


def _anthropic(part: Mapping[str, Any], source: Mapping[str, Any], kind: str) -> Attachment | None:
    how = source.get("type")
    if how == "content":  # nested parts are read by the caller
        return None
    name = "url" if how == "url" else "file_id" if how == "file" else "data"
    value, rest = _take(part, "source", name)
    if name != "data":
        return Attachment(kind, None, kind, rest, value)
    if how == "text":
        return Attachment(kind, value, "", rest)
    return _from_data(value, str(source.get("media_type") or "").lower(), kind, rest)


def _from_data(value: str, media: str, kind: str, rest: dict[str, Any]) -> Attachment:
    """Base64 of a declared type. Some clients send a whole data URL in its place."""
    if value.lstrip()[:5].lower() == "data:":
        return _from_url(value, kind, rest)
    kind = _kind_of(media, kind)
    return Attachment(kind, *_read(value, media, kind), rest)


def _from_file(value: str, rest: dict[str, Any]) -> Attachment:
    return _from_data(value, "", "file", rest)


def _from_url(url: str, kind: str, rest: dict[str, Any]) -> Attachment:
    url = url.strip()
    header, comma, payload = url[5:].partition(",")
    if url[:5].lower() != "data:" or not comma:
        return Attachment(kind, None, kind, rest, url)
    media, *parameters = (field.strip().lower() for field in header.split(";"))
    link = "" if _PLAIN_HEADER.fullmatch(header) else header
    kind = _kind_of(media, kind)
    raw = unquote_to_bytes(payload) if "%" in payload else payload.encode("utf-8", "replace")
    if "base64" in parameters:
        charset = next((p.partition("=")[2] for p in parameters if p.startswith("charset=")), "")
        return Attachment(
            kind, *_read(raw.decode("latin-1"), media or "text/plain", kind, charset), rest, link
        )
    unread = kind if media and not media.startswith(_TEXT_TYPES) else _never_text(raw)
    return Attachment(kind, raw.decode("utf-8", "replace"), unread, rest, link)


def _kind_of(media: str, fallback: str) -> str:
    head = media.partition("/")[0]
    return {"image": "image", "audio": "audio"}.get(head, "file" if media else fallback)


def _read(payload: str, media: str, kind: str, charset: str = "") -> tuple[str | None, str]:
    """The text of a base64 payload, and what nobody here can read of it: image, audio, file, or "" for nothing.

    What is declared as no text stays unread, whatever it looks like. What is not base64 is text too, as it stands.
    """
    packed = "".join(payload.split())  # decoders pass over white space
    if media and not media.startswith(_TEXT_TYPES):
        magic = kind_of(head_of(packed))
        if packed.encode("utf-8", "replace").translate(None, _ALPHABET):
            return payload, kind
        if kind != "image" or magic:  # not decoded: pictures are megabytes
            return None, magic if kind == "image" else kind
        raw = _unbase64(packed)
        return (None if raw is None else _to_text(raw, charset, guess=False)), kind
    raw = _unbase64(packed)
    if raw is not None:
        text = _to_text(raw, charset, guess=bool(media))
        return text, _never_text(raw) if text is not None else kind_of(raw) or kind
    # Lenient decoders leave out what is not of the alphabet.
    loose = _unbase64(_NOT_BASE64.sub("", packed)) or b""
    hidden = _to_text(loose, "", guess=False)
    return f"{payload}\n{hidden}" if hidden else payload, _never_text(loose)


def _never_text(raw: bytes) -> str:
    """Of a document that can do without control characters, and still is none to read."""
    return "file" if raw.startswith(_DOCUMENTS) else ""


def _unbase64(payload: str) -> bytes | None:
    plain = payload.translate(_URLSAFE) if "-" in payload or "_" in payload else payload
    plain = plain.rstrip("=")
    try:
        return binascii.a2b_base64((plain + "=" * (-len(plain) % 4)).encode("ascii"), strict_mode=True)
    except ValueError:  # includes binascii.Error and UnicodeEncodeError
        return None


def _to_text(raw: bytes, charset: str, *, guess: bool) -> str | None:
    # UTF-8 comes before the declared charset: a false charset must not hide plain text.
    declared = [name for bom, name in _BOMS if raw.startswith(bom)] + [charset or "utf-8"]
    for name in ["utf-8-sig", *declared]:
        try:
            text = raw.decode(name)
        except (LookupError, ValueError):
            continue
        if "\x00" not in text:
            return text
    return raw.decode("latin-1") if guess and b"\x00" not in raw else None
