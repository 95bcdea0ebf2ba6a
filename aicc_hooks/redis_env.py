"""Where Redis is, as the environment says it."""

from __future__ import annotations

from collections.abc import Mapping

from aicc_hooks.redis_link import RedisSettings


def redis_settings(env: Mapping[str, str]) -> RedisSettings | None:
    """REDIS_URL, or REDIS_HOST with PORT, PASSWORD, USERNAME, DB, SSL; None when Redis is not configured."""
    if env.get("REDIS_URL"):
        return RedisSettings(url=env["REDIS_URL"])
    if env.get("REDIS_SOCKET"):
        return RedisSettings(unix_socket=env["REDIS_SOCKET"], password=env.get("REDIS_PASSWORD") or None)
    if not env.get("REDIS_HOST"):
        return None
    port = env.get("REDIS_PORT") or "6379"
    return RedisSettings(
        host=env["REDIS_HOST"],
        port=int(port) if port.isdigit() else 6379,
        db=int(env["REDIS_DB"]) if env.get("REDIS_DB", "").isdigit() else 0,
        username=env.get("REDIS_USERNAME") or None,
        password=env.get("REDIS_PASSWORD") or None,
        tls=env.get("REDIS_SSL", "").lower() in ("1", "true", "yes"),
    )
