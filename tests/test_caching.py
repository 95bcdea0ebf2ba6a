"""Exact tiers: what is one question, what is kept, what a broken store costs."""

from __future__ import annotations

import asyncio
import ctypes
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from caching_redis import Server

from aicc_hooks.cache import envelope
from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.control import CacheControl
from aicc_hooks.cache.envelope import Entry
from aicc_hooks.cache.key import exact_key
from aicc_hooks.cache.memory import MemoryTier
from aicc_hooks.cache.request import CacheRequest
from aicc_hooks.cache.rules import judge_answer
from aicc_hooks.cache.tiers import ResponseCache
from aicc_hooks.redis_env import RedisSettings
from aicc_hooks.redis_link import RedisLink

SECRET = b"test-secret"
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "What is a monad?"}], "temperature": 0.2}
needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


def answer(text: str = "A monoid.", finish: str = "stop", **message: object) -> str:
    return json.dumps({"choices": [{"finish_reason": finish, "message": {"content": text, **message}}]})


def request(group: str = "llama-fast", body: dict[str, Any] | None = None, **fields: Any) -> CacheRequest:
    return CacheRequest(group, BODY if body is None else body, **fields)


def key(req: CacheRequest, scope: str = "machine", secret: bytes = SECRET) -> str | None:
    return exact_key(req, secret=secret, scope=scope)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@asynccontextmanager
async def cache(
    server: Server | None = None, config: CacheConfig | None = None, keep: bool = False, **fields: Any
) -> AsyncIterator[ResponseCache]:
    # The default of 40 ms is for requests; a busy test machine is not what is looked for.
    limit = fields.pop("timeout_ms", 2000)
    link = RedisLink(RedisSettings(port=server.port, timeout_ms=limit) if server else None)
    one = ResponseCache(config or CacheConfig(), secret=fields.pop("secret", SECRET), link=link, **fields)
    if server and not keep:
        await link.run(lambda r: r.flushall(), None)
    try:
        yield one
    finally:
        await one.aclose()
        await link.aclose()


def run(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(main())  # type: ignore[arg-type]


# -- the key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.3}, {"seed": 7}, {"top_p": 0.5}, {"max_tokens": 5}, {"stop": ["x"]}, {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f"}}]}, {"tool_choice": "none"},
        {"response_format": {"type": "json_object"}}, {"think": True}, {"num_ctx": 8192}, {"keep_alive": "5m"},
        {"top_k": 3}, {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}, {"logprobs": True},
        {"messages": [{"role": "user", "content": "What is a monad? "}]}, {"reasoning_effort": "low"},
        {"a_parameter_of_next_year": 1},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
def test_whatever_changes_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert key(request()) != key(request(body={**BODY, **change}))


@pytest.mark.parametrize(
    "fields",
    [{"group": "qwen-local"}, {"variant": "exp:b"}, {"endpoint": "messages"}],
)
def test_whatever_we_change_changes_the_key(fields: dict[str, Any]) -> None:
    assert key(request()) != key(request(**fields))


@pytest.mark.parametrize(
    "change",
    [
        {"user": "ann"}, {"stream": True}, {"stream_options": {"include_usage": True}}, {"metadata": {"a": 1}},
        {"model": "auto"}, {"cache": {"ttl": 5}}, {"timeout": 5}, {"litellm_call_id": "x"}, {"seed": None},
        {"api_key": "sk-other"},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
def test_delivery_and_bookkeeping_do_not(change: dict[str, Any]) -> None:
    assert key(request()) == key(request(body={**BODY, **change}))


def test_order_of_fields_and_spelling_of_numbers_do_not() -> None:
    assert key(request(body={"seed": 1, "temperature": 0})) == key(
        request(body={"temperature": 0.0, "seed": 1})
    )


def test_random_tool_call_ids_do_not_but_what_belongs_to_what_does() -> None:
    def turn(a: str, b: str, first: str) -> CacheRequest:
        call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
        return request(body={"messages": [
            {"role": "assistant", "tool_calls": [{**call, "id": a}, {**call, "id": b}]},
            {"role": "tool", "tool_call_id": first, "content": "1"},
        ]})  # fmt: skip

    assert key(turn("call_x", "call_y", "call_x")) == key(turn("call_p", "call_q", "call_p"))
    assert key(turn("call_x", "call_y", "call_x")) != key(turn("call_x", "call_y", "call_y"))


def test_scope_decides_who_shares() -> None:
    ann, bob = request(key_id="k1", user="ann"), request(key_id="k1", user="bob")
    assert key(ann) == key(bob)
    assert key(ann, "key") == key(bob, "key") != key(request(key_id="k2"), "key")
    assert key(ann, "user") != key(bob, "user")
    assert key(ann, "user") != key(request(key_id="k2", user="ann"), "user")
    assert key(request(), "key") is None
    assert key(request(key_id="k1"), "user") is None


def test_without_the_secret_the_key_cannot_be_guessed() -> None:
    assert key(request()) != key(request(), secret=b"another")


def test_many_messages_and_odd_text_have_keys() -> None:
    many = [{"role": "user", "content": f"turn {n} \ud800"} for n in range(500)]
    assert key(request(body={"messages": many})) is not None
    assert key(request(body={"messages": object()})) is None


def test_a_megabyte_of_prompt_is_hashed_in_milliseconds() -> None:
    body = {"messages": [{"role": "user", "content": "lorem ipsum dolor " * 60_000}]}
    best = min(_timed(lambda: key(request(body=body))) for _ in range(5))
    assert best < 0.03


def _timed(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


# -- client control and what is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        ("no-cache", None, CacheControl(no_cache=True)),
        ("No-Store, max-age=10", None, CacheControl(no_store=True, max_age=10)),
        ("max-age=abc, public", None, CacheControl()),
        ("max-age=-1", {"s-maxage": float("nan")}, CacheControl()),
        (None, {"no-cache": True, "no-store": True}, CacheControl(no_cache=True, no_store=True)),
        ("max-age=60", {"s-maxage": 5}, CacheControl(max_age=5)),
        (None, {"ttl": 20}, CacheControl(ttl=20, explicit=True)),
        (None, {"use-cache": True}, CacheControl(explicit=True)),
        (None, ["nonsense"], CacheControl()),
    ],
)
def test_client_control(header: str | None, body: object, expected: CacheControl) -> None:
    assert CacheControl.parse(header, body) == expected


@pytest.mark.parametrize(
    ("value", "endpoint", "refusal"),
    [
        (answer(), "chat", ""),
        (answer(finish="length"), "chat", "truncated"),
        (answer(finish="content_filter"), "chat", "filtered"),
        (answer(text=" \n"), "chat", "empty"),
        (json.dumps({"choices": [{"message": {"content": "half"}}]}), "chat", "unfinished"),
        (answer(refusal="I cannot"), "chat", "refused"),
        ('{"error": {"message": "x"}}', "chat", "error"),
        ("<html>", "chat", "not JSON"),
        ('{"choices": []}', "chat", "empty"),
        ('{"choices": [{"text": "hi", "finish_reason": "stop"}]}', "completion", ""),
        ('{"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}', "messages", ""),
        (
            '{"content": [{"type": "text", "text": "hi"}], "stop_reason": "max_tokens"}',
            "messages",
            "truncated",
        ),
        (
            '{"status": "completed", "output": [{"type": "message", "content": [{"text": "hi"}]}]}',
            "responses",
            "",
        ),
        ('{"status": "incomplete", "output": []}', "responses", "truncated"),
        ('{"data": [{"embedding": [0.1]}]}', "embedding", ""),
        ('{"data": [{"embedding": []}]}', "embedding", "empty"),
        ('{"results": [{"index": 0}]}', "rerank", ""),
    ],
)
def test_only_whole_answers_are_kept(value: str, endpoint: str, refusal: str) -> None:
    assert judge_answer(value, endpoint).refusal == refusal


def test_tool_calls_are_noticed() -> None:
    assert judge_answer(answer("", "tool_calls", tool_calls=[{"id": "1"}])).tool_calls


def test_a_stored_answer_comes_back_for_stream_and_plain() -> None:
    async def main() -> None:
        async with cache() as one:
            assert await one.get(request()) is None
            assert await one.put(request(), answer())
            hit = await one.get(request(body={**BODY, "stream": True, "user": "ann"}))
            assert hit is not None
            assert (hit.value.decode(), hit.tier, hit.label) == (answer(), "memory", "exact")
            assert one.stats()["hit_rate"] == 0.5

    run(main)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"private": True}, {"private": True}, "private"),
        ({"flagged": True}, {"flagged": True}, "flagged"),
        ({"control": CacheControl(no_store=True)}, {}, "no-store"),
        ({"body": {**BODY, "temperature": 1.5}}, {"body": {**BODY, "temperature": 1.5}}, "temperature"),
    ],
)
def test_what_must_not_be_kept_is_not(first: dict[str, Any], second: dict[str, Any], reason: str) -> None:
    async def main() -> None:
        async with cache() as one:
            assert not await one.put(request(**first), answer())
            assert await one.get(request(**second)) is None
            assert one.metrics.refused[reason] == 1

    run(main)


def test_a_private_request_gets_nothing_even_if_the_answer_is_there() -> None:
    async def main() -> None:
        async with cache() as one:
            await one.put(request(), answer())
            assert await one.get(request(private=True)) is None
            assert await one.get(request(control=CacheControl(no_cache=True))) is None
            assert await one.get(request()) is not None

    run(main)


def test_high_temperature_is_kept_when_the_client_asks_for_it() -> None:
    async def main() -> None:
        hot = request(
            body={**BODY, "temperature": 1.5}, control=CacheControl.parse(None, {"use-cache": True})
        )
        async with cache() as one:
            assert await one.put(hot, answer())
            assert await one.get(hot) is not None

    run(main)


def test_ttl_max_age_and_the_clients_ttl() -> None:
    now = [1000.0]

    async def main() -> None:
        async with cache(clock=lambda: now[0], wall=lambda: now[0], jitter=lambda: 0.0) as one:
            await one.put(request(), answer())
            await one.put(request("other"), answer(), None)
            await one.put(request("short", control=CacheControl(ttl=10)), answer())
            now[0] += 30
            hit = await one.get(request())
            assert hit is not None
            assert hit.age == 30
            assert await one.get(request(control=CacheControl(max_age=20))) is None
            assert await one.get(request("short")) is None
            now[0] += 3600
            assert await one.get(request()) is None

    run(main)


def test_entries_made_together_do_not_expire_together() -> None:
    async def main() -> None:
        async with cache() as one:
            for n in range(50):
                await one.put(request(f"g{n}"), answer())
            lives = {entry.ttl for entry, *_ in one.memory._entries.values()}
            assert len(lives) > 10
            assert min(lives) >= 3240
            assert max(lives) <= 3600

    run(main)


def test_memory_stays_within_its_bytes_over_a_hundred_thousand_entries() -> None:
    tier = MemoryTier(4 * 1024 * 1024)
    for n in range(100_000):
        tier.put(f"{n:032x}", Entry(b"x" * (n % 2000), 0.0, 3600, {"group": "g"}))
        assert tier.bytes <= tier.max_bytes
    assert tier.evictions > 90_000
    assert tier.get(f"{99_999:032x}") is not None
    assert not tier.put("big", Entry(b"x" * 5_000_000, 0.0, 3600))


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc how large a block is")
def test_memory_counts_what_an_answer_of_orjson_really_takes() -> None:
    taken = ctypes.CDLL(None).malloc_usable_size
    taken.restype, taken.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
    body = orjson.dumps({"data": [{"embedding": [n / 7 for n in range(768)]}]})
    tier = MemoryTier(4 * 1024 * 1024)
    tier.put("k", Entry(body, 0.0, 3600))
    found = tier.get("k")
    assert found is not None
    assert found[0].value == body
    assert taken(id(found[0].value)) <= tier.bytes


# -- Redis -----------------------------------------------------------------------------------------------------


@needs_redis
def test_another_process_finds_the_answer_in_redis(server: Server) -> None:
    async def main() -> None:
        async with cache(server) as one, cache(server, keep=True) as two:
            await one.put(request(), answer("long " * 5000), {"model": "m"})
            await one.flush()
            hit = await two.get(request())
            assert hit is not None
            assert (hit.tier, hit.meta["model"], hit.value.decode()) == ("redis", "m", answer("long " * 5000))
            again = await two.get(request())
            assert again is not None
            assert again.tier == "memory"

    run(main)


@needs_redis
def test_redis_holds_no_prompt_and_no_guessable_key(server: Server) -> None:
    async def main() -> None:
        async with cache(server) as one:
            await one.put(request(), answer("yes"))
            await one.flush()
            names = await one.remote.link.run(lambda r: r.keys("*"), [])
            assert names
            assert all(name.startswith(b"aicc:") and b"monad" not in name for name in names)
        async with cache(server, keep=True, secret=b"stranger") as other:
            assert await other.get(request()) is None

    run(main)


async def _raw(one: ResponseCache, change: Callable[[bytes], bytes]) -> bytes:
    """Change the only stored entry in Redis behind the cache's back; returns its name."""
    link = one.remote.link
    (name,) = await link.run(lambda r: r.keys("aicc:cache:v1:e:*"), [])
    value = await link.run(lambda r: r.get(name), b"")
    await link.run(lambda r: r.set(name, change(value), keepttl=True), None)
    return bytes(name)


@needs_redis
@pytest.mark.parametrize(
    "damage",
    [
        lambda v: v[:-1],
        lambda v: v[:20],
        lambda v: b"",
        lambda v: b"\x80\x04nonsense",
        lambda v: v[:60] + bytes([v[60] ^ 1]) + v[61:],
        lambda v: v[:8] + bytes([v[8] ^ 1]) + v[9:],
        lambda v: json.dumps({"timestamp": 1, "response": "{}"}).encode(),
    ],
    ids=["cut", "head only", "empty", "pickle", "flipped bit", "flipped date", "litellm's own format"],
)
def test_a_corrupt_entry_is_a_miss_counted_and_deleted(
    server: Server, damage: Callable[[bytes], bytes]
) -> None:
    async def main() -> None:
        async with cache(server) as one, cache(server, keep=True) as two:
            await one.put(request(), answer())
            await one.flush()
            name = await _raw(one, damage)
            assert await two.get(request()) is None
            await two.flush()
            assert two.metrics.corrupt == 1
            assert await two.remote.link.run(lambda r: r.exists(name), None) == 0
            assert (await two.describe())["shared"] == {"entries": 0, "bytes": 0, "evictions": 0}

    run(main)


@needs_redis
def test_an_entry_moved_under_another_key_is_corrupt(server: Server) -> None:
    async def main() -> None:
        async with cache(server) as one, cache(server, keep=True) as two:
            await one.put(request("a"), answer("of a"))
            await one.flush()
            link = one.remote.link
            b = one.key(request("b"))
            (name,) = await link.run(lambda r: r.keys("aicc:cache:v1:e:*"), [])
            await link.run(lambda r: r.rename(name, f"aicc:cache:v1:e:{b}"), None)
            assert await two.get(request("b")) is None
            assert two.metrics.corrupt == 1

    run(main)


@needs_redis
def test_two_versions_side_by_side_leave_each_other_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with cache(server) as newer, cache(server, keep=True) as older:
            monkeypatch.setattr(envelope, "VERSION", 2)
            await newer.put(request(), answer("from the future"))
            await newer.flush()
            monkeypatch.setattr(envelope, "VERSION", 1)
            assert await older.get(request()) is None
            assert (older.metrics.foreign, older.metrics.corrupt) == (1, 0)
            assert [row.get("problem") for row in await older.inspect()] == ["written by another version"]

    run(main)


@needs_redis
def test_redis_stays_within_its_bytes(server: Server) -> None:
    async def main() -> None:
        config = CacheConfig(max_redis_bytes=50_000)
        async with cache(server, config) as one:
            for n in range(120):
                await one.put(request(f"g{n}"), answer("x" * 1000 + str(n)))
                await one.flush()
            shared = (await one.describe())["shared"]
            names = await one.remote.link.run(lambda r: r.keys("aicc:cache:v1:e:*"), [])
            assert shared["bytes"] <= 50_000
            assert shared["entries"] == len(names) < 120
            assert shared["evictions"] == 120 - len(names)
            one.memory.clear()
            assert await one.get(request("g119")) is not None

    run(main)


@needs_redis
def test_overwriting_an_entry_does_not_count_it_twice(server: Server) -> None:
    async def main() -> None:
        async with cache(server) as one:
            for n in range(20):
                await one.put(request(), answer("x" * n))
                await one.flush()
            assert (await one.describe())["shared"]["bytes"] < 1000

    run(main)


@needs_redis
@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_jump_never_serves_an_old_answer_as_fresh(server: Server, jump: float) -> None:
    wall = [time.time()]

    async def main() -> None:
        async with cache(server, wall=lambda: wall[0]) as one:
            await one.put(request(), answer())
            await one.flush()
            wall[0] += jump
            memory = await one.get(request())
            assert memory is not None
            assert 0 <= memory.age < 5
            one.memory.clear()
            assert await one.get(request(control=CacheControl(max_age=60))) is None
            stale = await one.get(request())
            assert stale is None if jump > 0 else (stale is not None and stale.age == 0)

    run(main)


@needs_redis
def test_clear_reaches_other_processes(server: Server) -> None:
    async def main() -> None:
        async with cache(server) as one, cache(server, keep=True) as two:
            await one.put(request(), answer())
            await one.flush()
            assert await two.get(request()) is not None
            await two.step()
            assert await one.clear() == 1
            await two.step()
            assert await two.get(request()) is None
            assert (await one.describe())["shared"]["bytes"] == 0

    run(main)


@needs_redis
def test_inspect_shows_entries_without_their_text(server: Server) -> None:
    async def main() -> None:
        async with cache(server) as one:
            await one.put(request(), answer("secret words"))
            await one.flush()
            (row,) = await one.inspect()
            assert row["meta"] == {"group": "llama-fast", "endpoint": "chat"}
            assert row["bytes"] == len(answer("secret words"))
            assert "secret words" not in json.dumps(row)

    run(main)


@needs_redis
def test_a_redis_that_dies_freezes_or_fills_costs_one_request_its_limit() -> None:
    server = Server()

    async def main() -> None:
        async with cache(server, timeout_ms=1000) as one:
            link = one.remote.link
            await one.put(request("kept"), answer())
            await one.flush()
            for harm, heal in ((server.freeze, server.thaw), (server.kill, server.start)):
                harm()
                before = link.counters.calls
                for n in range(20):
                    assert await one.get(request(f"new{n}")) is None
                    assert await one.put(request(f"new{n}"), answer())
                # Only a call that is sent may wait; `put` itself waits for none.
                assert link.counters.calls == before + 1
                hit = await one.get(request("new3"))
                assert hit is not None
                assert hit.tier == "memory"
                heal()
                async with asyncio.timeout(60):
                    while link.status != "up":
                        await one.get(request("poke", control=CacheControl(max_age=0)))
                        await asyncio.sleep(0.02)
                await one.put(request("after"), answer())
                await one.flush()
                one.memory.clear()
                assert await one.get(request("after")) is not None
            await one.remote.link.run(lambda r: r.config_set("maxmemory", "1"), None)
            assert await one.put(request("full"), answer())
            await one.flush()
            assert await one.get(request("full")) is not None
            assert one.remote.link.status == "up"

    try:
        run(main)
    finally:
        server.close()


def test_an_answer_that_comes_while_redis_is_asked_is_found(server: Server) -> None:
    """Else a request that meets the end of another's flight would make a call of its own."""

    async def main() -> None:
        async with cache(server) as one:

            async def slow(key: str) -> bytes | None:
                assert await one.put(request(), answer())
                return None

            one.remote.get = slow  # type: ignore[method-assign]
            hit = await one.get(request())
            assert hit is not None
            assert hit.tier == "memory"

    run(main)
