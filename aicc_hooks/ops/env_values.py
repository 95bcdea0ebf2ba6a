"""What `.env` holds: the gateway's names, the Langfuse stack's secrets, and how each is made."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from aicc_hooks.access import is_published


def master_key() -> str:
    """32 random bytes behind LiteLLM's `sk-`."""
    return "sk-aicc-" + secrets.token_urlsafe(32)


def _hex32() -> str:
    return secrets.token_hex(32)


def _word() -> str:
    return secrets.token_urlsafe(24).replace("-", "x").replace("_", "y")


# Only letters, digits and dashes: docker compose expands `$` in this file, and passwords stand in URLs.
GENERATED: Final[Mapping[str, Callable[[], str]]] = {
    "AICC_MASTER_KEY": master_key,
    "LANGFUSE_PUBLIC_KEY": lambda: f"pk-lf-{uuid.uuid4()}",
    "LANGFUSE_SECRET_KEY": lambda: f"sk-lf-{uuid.uuid4()}",
    "LANGFUSE_NEXTAUTH_SECRET": _hex32,
    "LANGFUSE_SALT": _hex32,
    "LANGFUSE_ENCRYPTION_KEY": _hex32,  # Langfuse insists on 64 hex digits
    "LANGFUSE_POSTGRES_PASSWORD": _word,
    "LANGFUSE_CLICKHOUSE_PASSWORD": _word,
    "LANGFUSE_REDIS_PASSWORD": _word,
    "LANGFUSE_MINIO_PASSWORD": _word,
    "LANGFUSE_ADMIN_PASSWORD": _word,
    "GRAFANA_ADMIN_PASSWORD": _word,
}

PLAIN: Final[Mapping[str, str]] = {
    "AICC_ROUTER_PORT": "4000",
    "OLLAMA_BASE_URL": "http://localhost:11434",
    "REDIS_HOST": "127.0.0.1",
    "REDIS_PORT": "6379",
    "LANGFUSE_HOST": "http://localhost:3001",
    "LANGFUSE_ADMIN_EMAIL": "admin@localhost.local",
}

# The containers' own secrets. The gateway does not need them, so `aicc serve` does not hand them on.
STACK_ONLY: Final = frozenset(
    name
    for name in (*GENERATED, *PLAIN)
    if name not in ("AICC_MASTER_KEY", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_HOST")
    and name.startswith(("LANGFUSE_", "GRAFANA_"))
)


def is_placeholder(name: str, value: str) -> bool:
    """True for an empty value, a published default, or an unfilled `lf_pk_...`."""
    plain = value.strip()
    return not plain or is_published(plain) or (name in GENERATED and plain.endswith("..."))


def missing(values: Mapping[str, str], wanted: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names that lack a usable value, with a fresh one each; `wanted` overrides the plain defaults."""
    out: dict[str, str] = {}
    for name, make in GENERATED.items():
        if is_placeholder(name, values.get(name, "")):
            out[name] = make()
    for name, default in {**PLAIN, **(wanted or {})}.items():
        if not values.get(name, "").strip():
            out[name] = default
    return out
