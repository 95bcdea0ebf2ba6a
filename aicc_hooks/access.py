"""The doors of the gateway: which method and path may pass, and what kind of body waits behind each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Door:
    """An allowed path. `endpoint`: chat, completions, embeddings, responses, messages, rerank, models, health, own, docs, other."""

    endpoint: str
    path: str  # canonical: what LiteLLM is given
    body: bool = True  # a JSON body that is inspected
    key: bool = True
    model: str = ""  # named by the path (/openai/deployments/{m}/…); wins over the body


_LLM: Final = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/embeddings": "embeddings",
    "/responses": "responses",
    "/messages": "messages",
    "/rerank": "rerank",
}
_COHERE_V2: Final = "/v2/rerank"  # where Cohere's present client asks
_AZURE: Final = {"chat/completions": "chat", "completions": "completions", "embeddings": "embeddings"}
_HEALTH: Final = frozenset(("/health/liveliness", "/health/liveness", "/health/readiness"))
_DOCS: Final = frozenset(("/docs", "/openapi.json"))


def find_door(method: str, path: str, *, debug: bool = False, extra: Iterable[str] = ()) -> Door | None:
    """The door for a request line, or None when there is none. `path` is already percent-decoded."""
    plain = path[:-1] if len(path) > 1 and path.endswith("/") else path
    if "//" in plain or "\\" in plain or "/." in plain or "\x00" in plain:
        return None
    bare = plain[3:] if plain.startswith("/v1/") else plain
    if method == "POST" and bare in _LLM:
        return Door(_LLM[bare], f"/v1{bare}")
    if method == "POST" and plain.startswith("/openai/deployments/"):
        return _azure(plain)
    if method in ("GET", "HEAD"):
        if bare == "/models" or (bare.startswith("/models/") and len(bare) > 8):
            return Door("models", f"/v1{bare}", body=False)
        if plain in _HEALTH:
            return Door("health", plain, body=False, key=False)
        if debug and plain in _DOCS:
            return Door("docs", plain, body=False, key=False)
    if plain == "/aicc" or plain.startswith("/aicc/"):
        return Door("own", plain, body=False, key=not _is_open(method, plain))
    if f"{method} {plain}" in tuple(extra):
        if plain == _COHERE_V2 and method == "POST":
            return Door("rerank", "/v1/rerank")
        return Door("other", plain, body=method not in ("GET", "HEAD"))
    return None


def _is_open(method: str, path: str) -> bool:
    """What of /aicc works without the key: health, and the empty shell of the status page with its login."""
    if path in ("/aicc/login", "/aicc/logout", "/aicc/health"):
        return True
    return method in ("GET", "HEAD") and (path == "/aicc" or path.startswith("/aicc/static/"))


def _azure(path: str) -> Door | None:
    rest = path.removeprefix("/openai/deployments/")
    # A model name may hold slashes (encoded by the client, decoded by the server): match from the right.
    for suffix, endpoint in _AZURE.items():
        if rest.endswith("/" + suffix) and not (
            suffix == "completions" and rest.endswith("/chat/completions")
        ):
            name = rest[: -len(suffix) - 1]
            return Door(endpoint, f"/v1/{suffix}", model=name) if name else None
    return None


def loopback_peer(client: tuple[str, int] | list[object] | None) -> bool:
    """True for a peer on this machine. No address means a unix socket."""
    if client is None:
        return True
    host = str(client[0]).removeprefix("::ffff:")
    return host == "::1" or host.startswith("127.")


# Shown in documents and examples: everybody knows them, so they are no key.
PUBLISHED: Final = frozenset(
    (
        "sk-1234",
        "sk-12345",
        "sk-command-center-local",
        "changeme",
        "change-me",
        "secret",
        "password",
        "langfuse",
        "admin",
    )
)
LAN_KEY: Final = 24  # characters


def is_published(key: str) -> bool:
    """Whether a key or password is one of the defaults that stand in documents."""
    return key.strip().lower() in PUBLISHED


def fit_for_lan(key: str) -> bool:
    """Whether a key is long and varied enough for a gateway that other machines reach."""
    return len(key) >= LAN_KEY and len(set(key)) >= 10
