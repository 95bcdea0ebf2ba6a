"""Breaker state over a shared store: what gateways tell each other, and what happens when the store is away."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from typing import Any

import pytest
import redis.asyncio
from caching_redis import Server

from aicc_hooks.resilience.circuit import State
from aicc_hooks.resilience.circuit_breaker import CircuitBreaker
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.resilience.config import BreakerConfig
from aicc_hooks.resilience.permit import Permit, Transition
from aicc_hooks.resilience.shared import BreakerSync, RedisStore

A = "http://localhost:11434"
CONFIG = BreakerConfig(jitter=0, store_timeout_s=0.05, sync_interval_s=0.05)
# A real Redis may be slow: the machine has other work.
PATIENT = CONFIG.model_copy(update={"store_timeout_s": 1.0})


class Memory:
    """A store with the outages of a real one."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.mode = "ok"

    async def put(self, field: str, value: str) -> None:
        await self._behave()
        self.fields[field] = value

    async def all(self) -> Mapping[str, str]:
        await self._behave()
        return dict(self.fields)

    async def _behave(self) -> None:
        if self.mode == "hang":
            await asyncio.sleep(60)
        if self.mode == "refuse":
            raise ConnectionError("redis://:secret@host refused")


class Link:
    """`RedisLink` without its time limit: a call fails as the client does."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def run(self, operation: Any, default: Any, *, write: bool = False) -> Any:
        return await operation(self.client)


class Gateway:
    def __init__(self, store: Memory, name: str, host: str = "mac", config: BreakerConfig = CONFIG) -> None:
        self.now = 100.0
        self.breaker = CircuitBreaker(config, clock=lambda: self.now, rng=lambda: 0.5)
        self.sync = BreakerSync(self.breaker, store, instance=name, host=host, wall=lambda: 1_000_000.0)

    def end(self, outcome: Outcome, address: str = A) -> None:
        permit = self.breaker.allow(address, "qwen")
        assert isinstance(permit, Permit)
        self.breaker.record(permit, outcome)


def pair() -> tuple[Memory, Gateway, Gateway]:
    store = Memory()
    return store, Gateway(store, "one"), Gateway(store, "two")


def test_what_one_gateway_learns_spares_the_other_the_failure() -> None:
    async def run() -> None:
        _, one, two = pair()
        one.end(Outcome.REFUSED)
        await one.sync.sync()
        assert two.breaker.allow(A, "qwen")
        await two.sync.sync()
        assert not two.breaker.allow(A, "qwen")

    asyncio.run(run())


def test_only_one_of_them_probes_and_its_success_frees_both() -> None:
    async def run() -> None:
        _, one, two = pair()
        one.end(Outcome.REFUSED)
        await one.sync.sync()
        await two.sync.sync()
        one.now += 5.1
        trial = one.breaker.allow(A, "qwen")
        assert isinstance(trial, Permit)
        await one.sync.sync()
        await two.sync.sync()
        two.now += 4.9  # its own cooldown ends now, but the other's trial holds it back
        assert not two.breaker.allow(A, "qwen")
        one.breaker.record(trial, Outcome.OK)
        await one.sync.sync()
        await two.sync.sync()
        assert two.breaker.allow(A, "qwen")

    asyncio.run(run())


def test_localhost_of_another_machine_is_another_upstream() -> None:
    async def run() -> None:
        store = Memory()
        one, two = Gateway(store, "one", "mac"), Gateway(store, "two", "mini")
        one.end(Outcome.REFUSED)
        for _ in range(3):
            one.end(Outcome.SERVER_ERROR, "http://192.168.1.5:11434")
        await one.sync.sync()
        await two.sync.sync()
        assert two.breaker.usable(A, "other")
        assert not two.breaker.usable("http://192.168.1.5:11434", "qwen"), "a shared address is shared"

    asyncio.run(run())


def test_a_model_on_localhost_is_not_shared_between_machines() -> None:
    async def run() -> None:
        store = Memory()
        one, two, three = Gateway(store, "1", "mac"), Gateway(store, "2", "mini"), Gateway(store, "3", "mac")
        for _ in range(3):
            one.end(Outcome.OOM)
        for gateway in (one, two, three):
            await gateway.sync.sync()
        assert two.breaker.usable(A, "qwen")
        assert not three.breaker.usable(A, "qwen")
        three.now += 5.1  # its trial is told to the gateways of this machine alone, although it learnt of the model by hearsay
        assert isinstance(three.breaker.allow(A, "qwen"), Permit)
        for gateway in (three, two):
            await gateway.sync.sync()
        assert two.breaker.usable(A, "qwen")
        assert {field.split("|")[1] for field in store.fields} == {"mac"}

    asyncio.run(run())


def test_the_way_to_a_cloud_is_another_one_on_another_machine() -> None:
    async def run() -> None:
        store = Memory()
        one, two, three = Gateway(store, "1", "mac"), Gateway(store, "2", "mini"), Gateway(store, "3", "mac")
        one.end(Outcome.REFUSED, "cloud:anthropic")  # its network is away, or its key is wrong
        for gateway in (one, two, three):
            await gateway.sync.sync()
        assert two.breaker.usable("cloud:anthropic", "claude")
        assert not three.breaker.usable("cloud:anthropic", "claude")

    asyncio.run(run())


def test_gateways_that_learn_of_an_opening_together_do_not_try_it_together() -> None:
    def until(spread: float) -> float:
        config = CONFIG.model_copy(update={"jitter": 0.2})
        breaker = CircuitBreaker(config, clock=lambda: 100.0, rng=lambda: spread)
        breaker.adopt("address", "mac.lan:11434", State.OPEN, 10.0, "connection refused")
        return float(breaker.snapshot()["address"]["mac.lan:11434"]["retry_in_s"])

    assert until(0.0) >= 10
    assert until(0.9) - until(0.1) > 1


def test_an_entry_is_taken_once() -> None:
    async def run() -> None:
        _, one, two = pair()
        one.end(Outcome.REFUSED)
        await one.sync.sync()
        await two.sync.sync()
        two.now += 5.1
        await two.sync.sync()  # the same entry again must not extend the opening
        assert two.breaker.allow(A, "qwen")

    asyncio.run(run())


def test_without_the_store_the_breaker_is_local_and_nothing_is_lost() -> None:
    async def run() -> None:
        store, one, two = pair()
        for mode in ("hang", "refuse"):
            store.mode = mode
            if mode == "hang":
                one.end(Outcome.REFUSED)
            async with asyncio.timeout(1):
                assert await one.sync.sync() is False
            assert not one.breaker.allow(A, "qwen")
            assert not one.sync.healthy
        store.mode = "ok"
        assert await one.sync.sync() is True
        await two.sync.sync()
        assert not two.breaker.allow(A, "qwen")

    asyncio.run(run())


def test_foreign_and_broken_entries_are_ignored() -> None:
    async def run() -> None:
        store, one, _ = pair()
        store.fields = {
            "address|mac|localhost:11434": "not json",
            "address||x": '{"id": "z", "state": "melted", "left": 5, "at": 1000000}',
            "nonsense": '{"id": "z", "state": "open", "left": 5, "at": 1000000}',
            "address||old:1": '{"id": "z", "state": "open", "left": 5, "at": 1}',
            "address||huge:1": '{"id": "z", "state": "open", "left": 1' + "0" * 400 + ', "at": 1000000}',
            "address||deep:1": "[" * 100_000,
            "address||long:1": '{"id": "z", "state": "open", "left": 99999, "at": 1000000}',
        }
        assert await one.sync.sync()
        assert one.breaker.allow(A, "qwen")
        assert one.breaker.allow("old:1", "m")
        assert 0 < one.breaker.snapshot()["address"]["long:1"]["retry_in_s"] <= CONFIG.max_cooldown_s

    asyncio.run(run())


def test_a_transition_is_sent_at_once_by_the_background_task() -> None:
    async def run() -> None:
        store, one, _ = pair()
        one.sync.start()
        await asyncio.sleep(0.01)
        one.end(Outcome.REFUSED)
        for _ in range(100):
            if store.fields:
                break
            await asyncio.sleep(0.01)
        assert "address|mac|localhost:11434" in store.fields
        await one.sync.stop()

    asyncio.run(run())


def test_redis_client_answers_in_bytes_or_text() -> None:
    class Client:
        def __init__(self) -> None:
            self.data: dict[bytes, bytes] = {}
            self.ttl = 0

        async def hset(self, _key: str, field: str, value: str) -> None:
            self.data[field.encode()] = value.encode()

        async def expire(self, _key: str, ttl: int) -> None:
            self.ttl = ttl

        async def hgetall(self, _key: str) -> dict[bytes, bytes]:
            return self.data

    async def run() -> None:
        client = Client()
        store = RedisStore(Link(client))
        await store.put("address|a:1", "v")
        assert await store.all() == {"address|a:1": "v"}
        assert client.ttl == 600

    asyncio.run(run())


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_two_gateways_over_a_real_redis_that_freezes_and_comes_back() -> None:
    async def main() -> None:
        server = Server()
        client = redis.asyncio.Redis(port=server.port, socket_timeout=30, socket_connect_timeout=30)
        one, two = (Gateway(RedisStore(Link(client)), n, config=PATIENT) for n in ("one", "two"))  # type: ignore[arg-type]
        try:
            one.end(Outcome.REFUSED)
            assert await one.sync.sync()
            assert await two.sync.sync()
            assert not two.breaker.allow(A, "qwen")
            server.freeze()
            two.now += 5.1
            trial = two.breaker.allow(A, "qwen")
            assert isinstance(trial, Permit), "the breaker does not need the store"
            two.breaker.record(trial, Outcome.OK)
            began = time.perf_counter()
            assert not await two.sync.sync()
            assert time.perf_counter() - began < 10, "the client's own limit is longer"
            server.thaw()
            async with asyncio.timeout(30):
                while not await two.sync.sync():
                    await asyncio.sleep(0.05)
            assert await one.sync.sync()
            assert one.breaker.allow(A, "qwen"), "the recovery arrived"
        finally:
            await client.aclose()
            server.close()

    asyncio.run(main())


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_over_a_real_redis_the_other_gateway_knows_within_a_moment() -> None:
    async def main() -> None:
        server = Server()
        clients = [redis.asyncio.Redis(port=server.port) for _ in range(2)]
        one, two = (
            Gateway(RedisStore(Link(client)), name, config=PATIENT)  # type: ignore[arg-type]
            for client, name in zip(clients, ("one", "two"), strict=True)
        )
        told: list[Transition] = []
        two.breaker.subscribe(told.append)
        try:
            one.sync.start()
            two.sync.start()
            for outcome in (Outcome.CLIENT_ERROR, Outcome.CANCELLED, Outcome.LOADING):
                for _ in range(20):
                    one.end(outcome)
            await asyncio.sleep(CONFIG.sync_interval_s * 4)
            assert not told, "nobody failed"
            one.end(Outcome.REFUSED)
            async with asyncio.timeout(30):
                while two.breaker.usable(A, "qwen"):
                    await asyncio.sleep(0.005)
            assert not two.breaker.usable(A, "another model"), "it is the address that is away"
            one.now += 5.1
            one.end(Outcome.OK)  # the trial
            async with asyncio.timeout(30):
                while not two.breaker.usable(A, "qwen"):
                    await asyncio.sleep(0.005)
            assert [(t.scope, t.new.value, t.remote) for t in told] == [
                ("address", "open", True),
                ("address", "closed", True),
            ]
        finally:
            await one.sync.stop()
            await two.sync.stop()
            for client in clients:
                await client.aclose()
            server.close()

    asyncio.run(main())
