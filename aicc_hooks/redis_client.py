"""A redis-py client that never waits long: the one place that knows its options."""

from __future__ import annotations

import inspect
from typing import Any, Final

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from aicc_hooks.redis_env import RedisSettings

MAX_CONNECTIONS: Final = 32
_UNNAMED: Final[dict[str, Any]] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(aioredis.Redis.__init__).parameters
    else {"lib_name": None, "lib_version": None}  # its name before redis-py 7.1
)


def new_client(settings: RedisSettings) -> Any:
    """A new redis-py client with every wait bounded and no retries of its own."""
    limit = settings.timeout_ms / 1000
    common: dict[str, Any] = {
        # redis-py 6+ retries three times with backoff, which would triple the cost of a dead server.
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": limit,
        "socket_connect_timeout": limit,
        "max_connections": 4 * MAX_CONNECTIONS,
        # RESP2 and no CLIENT SETINFO: a new connection is usable after its connect (plus AUTH/SELECT).
        "protocol": 2,
        **_UNNAMED,
    }
    if settings.url:
        return aioredis.Redis.from_url(settings.url, **common)
    common |= {"db": settings.db, "username": settings.username, "password": settings.password}
    if settings.unix_socket:
        return aioredis.Redis(unix_socket_path=settings.unix_socket, **common)
    if settings.tls:
        common |= {"ssl": True, "ssl_ca_certs": settings.tls_ca}
        if not settings.tls_verify:
            common |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return aioredis.Redis(host=settings.host, port=settings.port, **common)
