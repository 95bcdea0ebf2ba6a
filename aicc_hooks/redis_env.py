"""Where Redis is, as the environment says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where Redis is. `url` (redis://, rediss://, unix://) wins over the single fields."""

    host: str = "127.0.0.1"
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    tls_ca: str | None = None
    tls_verify: bool = True
    unix_socket: str | None = None
    url: str | None = field(default=None, repr=False)
    timeout_ms: float = 40  # per call, connecting included; leaves 10 ms of the promised 50 for the rest

    def where(self) -> str:
        """The address for people, without credentials."""
        if self.url:
            parts = urlsplit(self.url)
            return f"{parts.scheme}://{parts.hostname or parts.path}:{parts.port or ''}".rstrip(":")
        return self.unix_socket or f"{self.host}:{self.port}"


def redis_settings(env: Mapping[str, str]) -> RedisSettings | None:
    """REDIS_URL, REDIS_SOCKET or REDIS_HOST, with what belongs to each; None when Redis is not configured.

    docs/operations.md lists the names.
    """
    authority = env.get("REDIS_TLS_CA") or None
    if env.get("REDIS_URL"):
        return RedisSettings(url=env["REDIS_URL"], tls_ca=authority)
    db = int(env["REDIS_DB"]) if env.get("REDIS_DB", "").isdigit() else 0
    username, password = env.get("REDIS_USERNAME") or None, env.get("REDIS_PASSWORD") or None
    if env.get("REDIS_SOCKET"):
        return RedisSettings(unix_socket=env["REDIS_SOCKET"], db=db, username=username, password=password)
    if not env.get("REDIS_HOST"):
        return None
    port = env.get("REDIS_PORT") or "6379"
    return RedisSettings(
        host=env["REDIS_HOST"],
        port=int(port) if port.isdigit() else 6379,
        db=db,
        username=username,
        password=password,
        tls=bool(authority) or env.get("REDIS_SSL", "").lower() in ("1", "true", "yes"),
        tls_ca=authority,
    )
