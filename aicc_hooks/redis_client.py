"""A redis-py client that never waits long: the one place that knows its options."""

from __future__ import annotations

import inspect
from typing import Any, Final

import redis
import redis.asyncio as aioredis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from aicc_hooks.redis_env import RedisSettings

MAX_CONNECTIONS: Final = 32
_UNNAMED: Final[dict[str, Any]] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(aioredis.Redis.__init__).parameters
    else {"lib_name": None, "lib_version": None}  # its name before redis-py 7.1
)


def new_client(settings: RedisSettings) -> Any:
    """A new asyncio client with every wait bounded and no retries of its own."""
    # RESP2 and no CLIENT SETINFO: a new connection is usable after its connect (plus AUTH/SELECT).
    return _client(aioredis.Redis, settings, retry=AsyncRetry(NoBackoff(), 0), **_UNNAMED)


def new_blocking_client(settings: RedisSettings) -> Any:
    """The same for a command line."""
    # With CLIENT SETINFO: without a first answer redis-py takes TLS's session tickets for data nobody asked for.
    return _client(redis.Redis, settings, retry=Retry(NoBackoff(), 0))


def _client(kind: Any, settings: RedisSettings, **more: Any) -> Any:
    limit = settings.timeout_ms / 1000
    common: dict[str, Any] = {
        # `retry`: redis-py 6+ tries three times with backoff, which would triple the cost of a dead server.
        "socket_timeout": limit,
        "socket_connect_timeout": limit,
        "max_connections": 4 * MAX_CONNECTIONS,
        "protocol": 2,
        **more,
    }
    if settings.url:
        if settings.tls_ca and settings.url.startswith("rediss://"):
            common["ssl_ca_certs"] = settings.tls_ca
        return kind.from_url(settings.url, **common)
    common |= {"db": settings.db, "username": settings.username, "password": settings.password}
    if settings.unix_socket:
        return kind(unix_socket_path=settings.unix_socket, **common)
    if settings.tls:
        common |= {"ssl": True, "ssl_ca_certs": settings.tls_ca}
        if not settings.tls_verify:
            common |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return kind(host=settings.host, port=settings.port, **common)
