"""The shared Redis client: bounded calls and a breaker, against a real redis-server."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from caching_redis import Server

from aicc_hooks.redis_client import new_blocking_client
from aicc_hooks.redis_env import RedisSettings, redis_settings
from aicc_hooks.redis_link import RedisLink, key
from tests.harness import free_port

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


LIMIT_MS = 1000  # a test machine may be busy; the default is 40


def link_to(server: Server, **fields: object) -> RedisLink:
    return RedisLink(RedisSettings(port=server.port, **{"timeout_ms": LIMIT_MS, **fields}))  # type: ignore[arg-type]


async def until(link: RedisLink, status: str, limit: float = 30) -> None:
    end = time.monotonic() + limit
    while link.status != status:
        assert time.monotonic() < end, f"still {link.status} ({link.health()['detail']}), wanted {status}"
        link._skip() if not link.usable else None
        await asyncio.sleep(0.02)


async def calls_of(link: RedisLink, pings: int) -> int:
    """How many of so many failing pings were sent to the server: each of these may cost the limit, the others nothing."""
    before = link.counters.calls
    for _ in range(pings):
        assert not await link.ping()
    return link.counters.calls - before


def test_no_redis_configured_answers_at_once_and_says_so() -> None:
    async def main() -> None:
        link = RedisLink(None)
        assert await link.run(lambda r: r.get("x"), "nothing") == "nothing"
        assert link.health() == {
            "status": "off",
            "latency_ms": None,
            "checked_at": None,
            "detail": "not configured",
        }
        await link.aclose()

    asyncio.run(main())


def test_keys_live_in_one_namespace() -> None:
    assert key("sticky", "abc") == "aicc:sticky:abc"


@pytest.mark.parametrize("way", ["tcp", "socket", "url", "unix url"])
def test_every_way_to_reach_a_server(server: Server, way: str) -> None:
    settings = {
        "tcp": RedisSettings(port=server.port, timeout_ms=2000),
        "socket": RedisSettings(unix_socket=server.socket, timeout_ms=2000),
        "url": RedisSettings(url=f"redis://127.0.0.1:{server.port}/1", timeout_ms=2000),
        "unix url": RedisSettings(url=f"unix://{server.socket}", timeout_ms=2000),
    }[way]

    async def main() -> None:
        link = RedisLink(settings)
        assert await link.run(lambda r: r.set(key("t"), "1"), None, write=True)
        assert await link.run(lambda r: r.get(key("t")), None) == b"1"
        assert link.health()["status"] == "up"
        await link.aclose()

    asyncio.run(main())


def test_tls(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    cert, private = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", private, "-out", cert, "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    server = Server("--tls-port", str(port), "--tls-cert-file", str(cert), "--tls-key-file", str(private),
                    "--tls-ca-cert-file", str(cert), "--tls-auth-clients", "no")  # fmt: skip

    async def main() -> None:
        # A TLS handshake on a busy machine takes longer than a call may; only this test connects cold on purpose.
        one = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)}
        for env in (one, {**one, "REDIS_SSL": "true"}, {"REDIS_URL": f"rediss://127.0.0.1:{port}/0"}):
            settings = redis_settings({**env, "REDIS_TLS_CA": str(cert)})
            assert settings is not None
            good = RedisLink(replace(settings, timeout_ms=2000))
            assert await good.ping(), env
            await good.aclose()
            blocking = new_blocking_client(replace(settings, timeout_ms=2000))
            assert blocking.ping()
            blocking.close()
        bad = RedisLink(RedisSettings(port=port, tls=True, timeout_ms=2000))
        assert not await bad.ping()
        await bad.aclose()

    try:
        asyncio.run(main())
    finally:
        server.close()


def test_killed_server_costs_one_short_call_and_comes_back(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        assert await link.ping()
        server.kill()
        assert await calls_of(link, 1) == 1
        assert link.status == "down"
        assert await calls_of(link, 100) == 0, "a known-dead server must cost nothing"
        assert link.counters.timeouts == 0, "a refused connection is not waited for"
        server.start()
        await until(link, "up")
        assert await link.ping()
        assert (link.counters.trips, link.counters.recoveries) == (1, 1)
        await link.aclose()

    asyncio.run(main())


def test_frozen_server_costs_the_limit_once(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        assert await link.ping()
        server.freeze()
        assert await calls_of(link, 1) == 1
        assert f"no answer within {LIMIT_MS} ms" in link.health()["detail"]
        assert await calls_of(link, 50) == 0
        assert link.counters.timeouts == 1
        server.thaw()
        await until(link, "up")
        assert await link.ping()
        await link.aclose()

    asyncio.run(main())


def test_a_changed_limit_holds_for_the_next_call(server: Server) -> None:
    async def main() -> None:
        link = link_to(server, timeout_ms=40)
        link.limit(3000)  # longer than the freeze below
        assert await link.ping()
        server.freeze()
        asyncio.get_running_loop().call_later(0.3, server.thaw)
        assert await link.ping(), "with the old limit this is a timeout"
        server.freeze()
        link.limit(45)
        assert not await link.ping()
        assert "no answer within 45 ms" in link.health()["detail"]
        server.thaw()
        await link.aclose()

    asyncio.run(main())


def test_forty_calls_at_once_on_a_frozen_server_wait_side_by_side(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        await link.ping()
        server.freeze()
        answers = await asyncio.gather(*(link.ping() for _ in range(40)))
        assert not any(answers)
        # One after the other, the first one's timeout would have spared the rest the call.
        assert (link.counters.calls, link.counters.skipped) == (41, 0)
        server.thaw()
        await link.aclose()

    asyncio.run(main())


def test_restart_between_two_calls_is_not_noticed(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        assert await link.ping()
        server.kill()
        server.start()
        await asyncio.sleep(0.1)
        assert await link.ping()
        await link.aclose()

    asyncio.run(main())


def test_wrong_password_opens_the_breaker_and_never_shows_it() -> None:
    server = Server("--requirepass", "right-one")

    async def main() -> None:
        link = link_to(server, password="wrong-secret-one")
        assert not await link.ping()
        assert link.health()["status"] == "down"
        assert link.health()["detail"] == "authentication failed"
        assert "wrong-secret-one" not in repr(link.settings) + str(link.health())
        await link.aclose()
        good = link_to(server, password="right-one")
        assert await good.ping()
        await good.aclose()

    try:
        asyncio.run(main())
    finally:
        server.close()


def test_full_server_still_reads(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        await link.run(lambda r: r.set("aicc:t", "kept"), None, write=True)
        await link.run(lambda r: r.config_set("maxmemory", "1"), None)
        assert await link.run(lambda r: r.set("aicc:u", "x"), None, write=True) is None
        assert link.status == "up"
        assert "writes refused" in link.health()["detail"]
        assert await link.run(lambda r: r.get("aicc:t"), None) == b"kept"
        calls = link.counters.calls
        await link.run(lambda r: r.set("aicc:u", "x"), None, write=True)
        assert link.counters.calls == calls, "the next writes must not ask again at once"
        await link.aclose()

    asyncio.run(main())


def test_replica_still_reads(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        await link.run(lambda r: r.set("aicc:t", "kept"), None, write=True)
        other = Server()
        try:
            await link.run(lambda r: r.replicaof("127.0.0.1", other.port), None)
            await asyncio.sleep(0)
            assert await link.run(lambda r: r.set("aicc:u", "x"), "no", write=True) == "no"
            assert link.status == "up"
            assert link.counters.write_refusals == 1
        finally:
            other.close()
        await link.aclose()

    asyncio.run(main())


def test_slow_server_is_left_alone_until_it_is_fast_again(server: Server) -> None:
    """A server slower than the limit must not cost every request the limit."""

    async def main() -> None:
        link = link_to(server)
        assert await link.ping()
        slow = asyncio.ensure_future(
            link.run(lambda r: r.execute_command("DEBUG", "SLEEP", "0.4"), None, timeout_ms=30)
        )
        await slow
        assert link.status == "down"
        assert await calls_of(link, 20) == 0
        await until(link, "up")
        await link.aclose()

    server.close()
    server.options = ("--enable-debug-command", "yes")
    os.makedirs(server.dir, exist_ok=True)
    server.start()
    asyncio.run(main())


def test_one_link_serves_several_loops(server: Server) -> None:
    link = link_to(server)

    async def once() -> bool:
        return await link.ping()

    async def last() -> bool:
        try:
            return await link.ping()
        finally:
            await link.aclose()

    async def first() -> bool:
        answer = await link.ping()
        await link._loops.pop(asyncio.get_running_loop()).client.aclose()
        return answer

    assert asyncio.run(first())
    assert asyncio.run(last())


def test_a_cancelled_caller_leaves_no_half_read_reply(server: Server) -> None:
    async def main() -> None:
        link = link_to(server)
        await link.run(lambda r: r.set("aicc:a", "A"), None)
        for _ in range(30):
            task = asyncio.ensure_future(link.run(lambda r: r.get("aicc:a"), None))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await link.run(lambda r: r.echo("mine"), None) == b"mine"
        await link.aclose()

    asyncio.run(main())
