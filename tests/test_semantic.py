"""The semantic tier inside the cache: scope, guard, time limits, other processes, restarts."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from caching_redis import Server
from test_caching import answer

from aicc_hooks.cache.ask import scoped_ask
from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.cache.control import CacheControl
from aicc_hooks.cache.embedder_id import NoEmbedder, embedder_id
from aicc_hooks.cache.match import cosine, match, match_record
from aicc_hooks.cache.request import CacheRequest
from aicc_hooks.cache.semantic import REST_AFTER, SemanticTier
from aicc_hooks.cache.tiers import ResponseCache
from aicc_hooks.catalog import Catalog, Deployment, ModelGroup
from aicc_hooks.redis_env import RedisSettings
from aicc_hooks.redis_link import RedisLink

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
CAPITAL, SAME, OTHER = (
    "What is the capital of France?",
    "Tell me the capital city of France",
    "What is the capital of Spain?",
)


@dataclass(frozen=True)
class Split:
    ask: str
    payload: str = ""


def split(text: str) -> Split:
    ask, _, payload = text.partition("\n---\n")
    return Split(ask, payload)


class Embedder:
    """Vectors by shared words: similar wording is near, which is all these tests need of a model."""

    def __init__(self, delay: float = 0.0, dims: int = 64) -> None:
        self.delay, self.dims, self.calls, self.broken = delay, dims, 0, False

    async def __call__(self, text: str) -> list[float]:
        self.calls += 1
        await asyncio.sleep(self.delay)
        if self.broken:
            raise ConnectionError("no embedder")
        vector = np.zeros(self.dims)
        for word in text.lower().strip("?").split():
            vector[sum(map(ord, word)) % self.dims] += 1
        return list(vector)


def ask(text: str, group: str = "m", **fields: Any) -> CacheRequest:
    extra = fields.pop("body", {})
    history = fields.pop("history", [])
    return CacheRequest(group, {"messages": [*history, {"role": "user", "content": text}], **extra}, **fields)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@asynccontextmanager
async def cache(
    embed: Embedder | None = None, server: Server | None = None, keep: bool = False, **fields: Any
) -> AsyncIterator[ResponseCache]:
    # The default limits are for requests; a busy test machine is not what is looked for.
    config = CacheConfig(**{"embed_timeout_ms": 5000, **fields})
    link = RedisLink(RedisSettings(port=server.port, timeout_ms=1000) if server else None)
    tier = SemanticTier(
        config, embed=embed or Embedder(), embedder="test", threshold=0.5, split=split, secret=b"s", link=link
    )
    one = ResponseCache(config, secret=b"s", link=link, semantic=tier, metrics=tier.metrics)
    if server and not keep:
        await link.run(lambda r: r.flushall(), None)
    try:
        yield one
    finally:
        await one.aclose()
        await link.aclose()


async def store(one: ResponseCache, request: CacheRequest, text: str = "Paris") -> None:
    assert await one.get(request) is None
    assert await one.put(request, answer(text))
    await one.flush()


def test_a_paraphrase_is_answered_and_says_so() -> None:
    async def main() -> None:
        async with cache() as one:
            await store(one, ask(CAPITAL))
            hit = await one.get(ask(SAME))
            assert hit is not None
            assert (hit.label, hit.tier, hit.reason) == ("semantic", "semantic", "pass")
            assert hit.similarity is not None
            assert 0.5 < hit.similarity < 1
            assert hit.age < 5

    asyncio.run(main())


def test_the_guard_refuses_what_is_merely_similar_and_the_reason_is_counted() -> None:
    async def main() -> None:
        async with cache() as one:
            await store(one, ask(CAPITAL))
            assert await one.get(ask(OTHER)) is None
            assert one.metrics.guard == {"entity": 1}

    asyncio.run(main())


@pytest.mark.parametrize(
    "other",
    [
        ask(SAME, group="other-model"),
        ask(SAME, body={"temperature": 0.9}),
        ask(SAME, body={"tools": [{"type": "function", "function": {"name": "f"}}]}),
        ask(SAME, body={"response_format": {"type": "json_object"}}),
        ask(SAME, history=[{"role": "system", "content": "Be a pirate."}]),
        ask(SAME, history=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]),
        ask(SAME, variant="exp:b"),
        ask(SAME + "\n---\nname,age\nann,5"),
        ask(SAME, semantic=False),
        ask(SAME, private=True),
        ask(SAME, control=CacheControl(no_cache=True)),
        CacheRequest("m", {"messages": [{"role": "user", "content": [{"type": "text", "text": SAME}, {"type": "image_url"}]}]}),
    ],
    ids=["model", "sampling", "tools", "format", "system", "history", "variant", "payload", "refused", "private", "no-cache", "image"],
)  # fmt: skip
def test_outside_its_scope_nothing_is_shared(other: CacheRequest) -> None:
    async def main() -> None:
        async with cache() as one:
            await store(one, ask(CAPITAL))
            assert await one.get(other) is None

    asyncio.run(main())


def test_equal_payload_and_history_share() -> None:
    async def main() -> None:
        history = [{"role": "system", "content": "Be brief."}]
        async with cache() as one:
            await store(one, ask(CAPITAL + "\n---\nx = 1", history=history))
            assert await one.get(ask(SAME + "\n---\nx = 1", history=history)) is not None

    asyncio.run(main())


def test_users_do_not_share_when_the_scope_is_theirs() -> None:
    async def main() -> None:
        async with cache(scope="user") as one:
            await store(one, ask(CAPITAL, user="ann", key_id="k"))
            assert await one.get(ask(SAME, user="bob", key_id="k")) is None
            assert await one.get(ask(SAME, user="ann", key_id="k")) is not None

    asyncio.run(main())


def test_tool_calls_are_exact_only() -> None:
    async def main() -> None:
        async with cache() as one:
            call = answer("", "tool_calls", tool_calls=[{"id": "1"}])
            assert await one.put(ask(CAPITAL), call)
            await one.flush()
            assert await one.get(ask(CAPITAL)) is not None
            assert await one.get(ask(SAME)) is None

    asyncio.run(main())


def test_a_slow_embedder_costs_its_limit_and_soon_nothing() -> None:
    async def main() -> None:
        embed = Embedder(delay=2)
        async with cache(embed, embed_timeout_ms=50) as one:
            times = []
            for n in range(REST_AFTER + 2):
                started = time.perf_counter()
                assert await one.get(ask(f"What is the capital of land {n}?")) is None
                times.append(time.perf_counter() - started)
            assert max(times) < 1.5, "the embedder takes 2 s"
            assert embed.calls == REST_AFTER
            assert one.stats()["semantic"]["status"] == "resting"

    asyncio.run(main())


@pytest.mark.parametrize("bad", [[], [0.0, 0.0], [float("nan")], [[1.0]], None, ["x"]])
def test_whatever_a_broken_embedder_returns_is_a_miss(bad: Any) -> None:
    async def embed(text: str) -> Any:
        return bad

    async def main() -> None:
        async with cache(embed) as one:  # type: ignore[arg-type]
            await store(one, ask(CAPITAL))
            assert await one.get(ask(SAME)) is None
            assert await one.get(ask(CAPITAL)) is not None
            assert one.metrics.embed_failures >= 1

    asyncio.run(main())


@needs_redis
def test_the_embedding_runs_while_redis_is_asked(server: Server) -> None:
    async def main() -> None:
        embedder, embeds, asks = Embedder(), asyncio.Event(), asyncio.Event()

        async def embed(text: str) -> list[float]:
            embeds.set()
            await asks.wait()
            return await embedder(text)

        async with cache(embed, server) as one:
            await one.remote.link.ping()
            original = one.remote.get

            async def get(key: str) -> bytes | None:
                asks.set()
                await embeds.wait()
                return await original(key)

            one.remote.get = get  # type: ignore[method-assign]
            async with asyncio.timeout(30):  # each waits for the other to begin
                assert await one.get(ask(CAPITAL)) is None
            assert (embedder.calls, one.metrics.embed_failures) == (1, 0)

    asyncio.run(main())


@needs_redis
def test_other_workers_and_a_restart_find_the_question_in_redis(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            assert await two.get(ask("warm up the second one")) is None
            await store(one, ask(CAPITAL))
            await two.step()
            hit = await two.get(ask(SAME))
            assert hit is not None
            assert hit.tier == "semantic"
        async with cache(server=server, keep=True) as fresh:
            assert fresh.semantic is not None
            assert await fresh.semantic.warm()  # type: ignore[attr-defined]
            await fresh.step()
            assert await fresh.get(ask(SAME)) is not None

    asyncio.run(main())


@needs_redis
def test_clear_reaches_the_other_workers_questions(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await store(one, ask(CAPITAL))
            assert await two.get(ask("warm up")) is None
            await two.step()
            assert two.stats()["semantic"]["entries"] == 1
            await one.clear()
            await two.step()
            assert two.stats()["semantic"]["entries"] == 0
            assert await two.get(ask(SAME)) is None

    asyncio.run(main())


@needs_redis
def test_a_redis_that_lost_its_data_is_read_from_the_start(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await store(one, ask("How tall is Mont Blanc?"))
            await two.get(ask("warm up"))
            await two.step()
            await one.remote.link.run(lambda r: r.flushall(), None)
            # A clock that went back gives the new stream smaller numbers than those already read.
            name = one.semantic._log._name  # type: ignore[union-attr]
            await one.remote.link.run(lambda r: r.xadd(name, {"h": "[]", "v": b""}, id="1-1"), None)
            await store(one, ask(CAPITAL), "Paris")
            await two.step()
            assert await two.get(ask(SAME)) is not None

    asyncio.run(main())


@needs_redis
def test_another_embedder_starts_another_index(server: Server) -> None:
    async def main() -> None:
        async with cache(Embedder(dims=64), server) as one:
            await store(one, ask(CAPITAL))
        async with cache(Embedder(dims=32), server, keep=True) as two:
            await two.semantic.warm()  # type: ignore[union-attr]
            await two.step()
            assert two.stats()["semantic"]["entries"] == 0
            assert await two.get(ask(SAME)) is None

    asyncio.run(main())


async def frozen(one: ResponseCache, server: Server) -> None:
    """Redis stops answering for longer than a call may take, as on a busy machine."""
    server.freeze()
    assert await one.remote.generation() is None
    assert one.remote.link.status == "down"


async def thawed(server: Server, *caches: ResponseCache) -> None:
    server.thaw()
    async with asyncio.timeout(20):
        for one in caches:
            while not one.remote.link.usable:
                await one.remote.generation()
                await asyncio.sleep(0.02)


@needs_redis
def test_an_answer_of_a_moment_without_redis_reaches_the_other_gateways(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await one.step()
            await two.semantic.warm()  # type: ignore[union-attr]
            await two.step()
            try:
                await frozen(one, server)
                await store(one, ask(CAPITAL))
            finally:
                await thawed(server, one, two)
            await one.step()
            await two.step()
            assert two.stats()["semantic"]["entries"] == 1
            hit = await two.get(ask(SAME))
            assert hit is not None
            assert hit.tier == "semantic"

    asyncio.run(main())


@needs_redis
def test_a_clear_of_a_moment_without_redis_reaches_redis_and_the_other_gateways(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await store(one, ask(CAPITAL))
            await two.step()
            assert await two.get(ask(CAPITAL)) is not None
            try:
                await frozen(one, server)
                await one.clear()
            finally:
                await thawed(server, one, two)
            assert await one.get(ask(CAPITAL)) is None  # Redis still has it, and is not believed
            await one.step()
            await two.step()
            assert two.stats()["semantic"]["entries"] == 0
            assert await two.get(ask(CAPITAL)) is None
            await store(one, ask(CAPITAL), "Lyon")  # and it is in use again
            assert await two.get(ask(CAPITAL)) is not None

    asyncio.run(main())


@needs_redis
def test_a_clear_before_the_first_look_at_redis_is_noticed(server: Server) -> None:
    """A gateway that just started, whose first look at the generation came to nothing."""

    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await store(one, ask(CAPITAL))
            two.start = lambda: None  # type: ignore[method-assign]
            assert await two.get(ask(CAPITAL)) is not None  # from Redis, now in memory too
            await two.semantic.sync()  # type: ignore[union-attr]
            assert two.stats()["semantic"]["entries"] == 1
            await one.clear()
            await two.step()
            assert two.stats()["semantic"]["entries"] == 0
            assert await two.get(ask(CAPITAL)) is None

    asyncio.run(main())


@needs_redis
def test_a_clear_while_the_questions_are_being_read_leaves_none(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await store(one, ask(CAPITAL))
            two.start = lambda: None  # type: ignore[method-assign]
            await two.semantic.warm()  # type: ignore[union-attr]
            await two.step()
            await store(one, ask("How tall is Mont Blanc?"))
            tier: Any = two.semantic
            read = tier._log.read_new

            async def slow() -> Any:
                found = await read()
                await one.clear()
                await two.step()  # hears of it
                return found

            tier._log.read_new = slow
            await tier.sync()
            assert two.stats()["semantic"]["entries"] == 0

    asyncio.run(main())


@needs_redis
def test_a_clear_after_redis_lost_its_data_is_noticed(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one, cache(server=server, keep=True) as two:
            await one.clear()
            await two.step()
            await one.remote.link.run(lambda r: r.flushall(), None)
            await store(one, ask(CAPITAL))
            two.start = lambda: None  # type: ignore[method-assign]
            assert await two.get(ask(CAPITAL)) is not None
            await one.clear()  # the second in all, the first that this Redis knows of
            await two.step()
            assert await two.get(ask(CAPITAL)) is None

    asyncio.run(main())


@needs_redis
def test_an_answer_that_is_gone_takes_its_question_along(server: Server) -> None:
    async def main() -> None:
        async with cache(server=server) as one:
            await store(one, ask(CAPITAL))
            key = one.key(ask(CAPITAL))
            assert key
            one.memory.delete(key)
            await one.remote.delete(key)
            assert await one.get(ask(SAME)) is None
            assert one.stats()["semantic"]["entries"] == 0

    asyncio.run(main())


def test_the_ask_is_normalised_and_payload_stays_out_of_it() -> None:
    def of(text: str) -> Any:
        return scoped_ask(ask(text), split=split, secret=b"s", owners="machine", max_chars=200)

    one, two = of("What  is\u00a0it?\n---\nabc"), of("What is it?\n---\nabc")
    assert one == two
    assert one.ask == "What is it?"
    assert of("What is it?\n---\nabd").scope != one.scope
    assert of("What is it? " * 50) is None
    assert of("x") is None


def test_match_wants_both_similarity_and_guard() -> None:
    assert match(CAPITAL, SAME, 0.9, 0.8).as_line() == {"similarity": 0.9, "guard": "pass", "hit": True}
    assert not match(CAPITAL, SAME, 0.7, 0.8).hit
    assert match(CAPITAL, OTHER, 0.99, 0.8).as_line() == {"similarity": 0.99, "guard": "entity", "hit": False}
    assert cosine([1, 0], [0.6, 0.8]) == pytest.approx(0.6)
    for bad in ([], [1, 2, 3], [0, 0], [float("nan"), 1]):
        with pytest.raises(ValueError, match="vector"):
            cosine([1, 0], bad)


def test_a_line_of_the_match_command() -> None:
    line = {"a": CAPITAL, "b": SAME, "vector_a": [1.0, 0.0], "vector_b": [0.8, 0.6]}
    assert match_record(line, 0.75) == {"similarity": 0.8, "guard": "pass", "hit": True}
    assert match_record(line, 0.85) == {"similarity": 0.8, "guard": "pass", "hit": False}
    # As in the gateway: look-alike characters are one spelling. Long vectors are not an overflow.
    same = {"a": "ｏｐｅｎ the ﬁle", "b": "open the\u00a0file", "vector_a": [1e39, 0], "vector_b": [1e39, 0]}
    assert match_record(same, 0.75) == {"similarity": 1.0, "guard": "pass", "hit": True}
    for change in (
        {"a": 1},
        {"vector_b": None},
        {"vector_b": ["x", "y"]},
        {"vector_b": [1]},
        {"vector_a": [[1], [2]]},
    ):
        with pytest.raises(ValueError, match=r"must be|vector"):
            match_record({**line, **change}, 0.75)


def test_a_model_that_loads_is_let_finish_and_then_works() -> None:
    """Ollama aborts a load with its request: giving up at the limit each time would never load the model."""

    async def main() -> None:
        embed = Embedder(delay=2.0)
        async with cache(embed, embed_timeout_ms=50) as one:
            for n in range(REST_AFTER):
                assert await one.get(ask(f"What is the capital of land {n}?")) is None
            assert one.stats()["semantic"]["status"] == "resting"
            async with asyncio.timeout(20):
                while one.stats()["semantic"]["status"] != "on":
                    await asyncio.sleep(0.02)
            embed.delay = 0
            await store(one, ask(CAPITAL))
            assert await one.get(ask(SAME)) is not None

    asyncio.run(main())


def test_a_tier_switched_off_under_a_lookup_is_a_miss() -> None:
    async def main() -> None:
        async with cache() as one:
            await store(one, ask(CAPITAL))
            one.memory.clear()  # the question is known, its answer gone
            embed = one.semantic._embed  # type: ignore[union-attr]

            async def switching(text: str) -> Any:
                one.semantic = None
                return await embed(text)

            one.semantic._embed = switching  # type: ignore[union-attr]
            assert await one.get(ask(SAME)) is None

    asyncio.run(main())


TAGS = {
    "models": [
        {
            "name": "nomic-embed-text:latest",
            "digest": "sha256:0a109f422b47e3a30ba2b10eca18548e944e8a23073ee3f3",
        }
    ]
}


@pytest.mark.parametrize(
    ("deployments", "answer", "expected"),
    [
        ([("ollama/nomic-embed-text", True)], TAGS, "e=ollama/nomic-embed-text:latest@0a109f422b47"),
        ([("ollama/nomic-embed-text", True)] * 2, TAGS, "e=ollama/nomic-embed-text:latest@0a109f422b47"),
        ([("openai/minilm", True)], TAGS, "e=openai/minilm"),
        ([("ollama/nomic-embed-text", True), ("openai/minilm", True)], TAGS, "different models"),
        ([("openai/text-embedding-3-small", False)], TAGS, "not on this machine"),
        ([("ollama/bge-m3", True)], TAGS, "ollama pull bge-m3"),
        ([("ollama/nomic-embed-text", True)], [1], "does not answer"),
        ([("ollama/nomic-embed-text", True)], None, "does not answer"),
        ([], TAGS, "no model group"),
    ],
)
def test_which_embedder_it_is(deployments: list[tuple[str, bool]], answer: Any, expected: str) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectError("refused")
        assert request.url.path == "/api/tags"
        return httpx.Response(200, json=answer)

    made = tuple(
        Deployment(str(i), model, "http://127.0.0.1:11434", local)
        for i, (model, local) in enumerate(deployments)
    )
    catalog = Catalog({"e": ModelGroup("e", made)} if made else {})

    async def main() -> str:
        try:
            return await embedder_id(catalog, "e", transport=httpx.MockTransport(reply))
        except NoEmbedder as error:
            return str(error)

    found = asyncio.run(main())
    assert found == expected if expected.startswith("e=") else expected in found
