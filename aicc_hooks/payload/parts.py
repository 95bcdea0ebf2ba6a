"""Attachments in content parts of the OpenAI, Responses and Anthropic shapes: text is decoded, the rest named."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml",
               "application/javascript", "application/x-sh", "application/csv", "message/")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """`text`: decoded content, None when it cannot be read here. `keys`: fields of the part it came from."""

    kind: str  # image | audio | file
    text: str | None = None
    keys: tuple[str, ...] = ()
    name: str = ""


def attachment(part: Mapping[str, Any]) -> Attachment | None:
    """The attachment a content part carries, or None for a part without one."""
    kind = str(part.get("type") or "")
    image = part.get("image_url")
    if image is not None:
        url = image.get("url") if isinstance(image, Mapping) else image
        return _from_url(str(url or ""), "image", ("image_url",))
    if "input_audio" in part:
        return Attachment("audio", keys=("input_audio",))
    file = part.get("file") if isinstance(part.get("file"), Mapping) else part
    if isinstance(file, Mapping) and (data := file.get("file_data")) is not None:
        return _from_url(
            str(data), "file", ("file", "file_data", "filename"), str(file.get("filename") or "")
        )
    if (
        kind in ("file", "input_file")
        and isinstance(file, Mapping)
        and (file.get("file_id") or file.get("file_url"))
    ):
        return Attachment(
            "file", keys=("file", "file_id", "file_url", "filename"), name=str(file.get("filename") or "")
        )
    source = part.get("source")
    if isinstance(source, Mapping) and kind in ("image", "document"):
        return _anthropic(source, "image" if kind == "image" else "file")
    return None


def _anthropic(source: Mapping[str, Any], kind: str) -> Attachment | None:
    how = source.get("type")
    if how == "text":
        return Attachment(kind, text=str(source.get("data") or ""), keys=("source",))
    if how == "base64":
        media = str(source.get("media_type") or "")
        return Attachment(
            _kind_of(media, kind), text=_decode(str(source.get("data") or ""), media), keys=("source",)
        )
    if how == "content":  # nested parts are read by the caller
        return None
    return Attachment(kind, keys=("source",))


def _from_url(url: str, kind: str, keys: tuple[str, ...], name: str = "") -> Attachment:
    if not url.startswith("data:"):
        # A link: the picture is elsewhere, but the address itself may hold a token.
        looks_like_base64 = kind == "file" and "://" not in url
        return (
            Attachment(
                kind, text=_decode(url, "text/plain") if looks_like_base64 else url, keys=keys, name=name
            )
            if kind == "file"
            else (Attachment(kind, keys=(), name=name))
        )
    header, _, payload = url[5:].partition(",")
    media = header.partition(";")[0].lower()
    if ";base64" not in header:
        payload_text = (
            unquote_to_bytes(payload).decode("utf-8", "replace") if _is_text(media or "text/plain") else None
        )
        return Attachment(_kind_of(media, kind), text=payload_text, keys=keys, name=name)
    return Attachment(_kind_of(media, kind), text=_decode(payload, media), keys=keys, name=name)


def _kind_of(media: str, fallback: str) -> str:
    head = media.partition("/")[0]
    return {"image": "image", "audio": "audio"}.get(head, "file" if media else fallback)


def _is_text(media: str) -> bool:
    return media.startswith(_TEXT_TYPES)


def _decode(payload: str, media: str) -> str | None:
    if not _is_text(media):
        return None
    try:
        return base64.b64decode(payload + "=" * (-len(payload) % 4), validate=False).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return payload
