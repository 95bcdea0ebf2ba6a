"""Servers shared by all tests: one stand-in of each kind, one gateway a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness import GatewayProcess, RedisProcess, cloud_host
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn
from tests.standins.langfuse import LangfuseStandIn
from tests.standins.server import StandIn

_stand_ins: list[StandIn] = []
_redis: list[RedisProcess] = []
# Two proxies kept for reuse cost about 600 MB; a third would crowd a small CI machine.
_KEPT_GATEWAYS = 2


def _session_stand_in(stand_in: StandIn) -> Iterator[Any]:
    stand_in.start()
    _stand_ins.append(stand_in)
    yield stand_in
    _stand_ins.remove(stand_in)
    stand_in.stop()


@pytest.fixture(scope="session")
def ollama() -> Iterator[OllamaStub]:
    """The Ollama stand-in; reset after every test."""
    yield from _session_stand_in(OllamaStub())


@pytest.fixture(scope="session")
def langfuse() -> Iterator[LangfuseStandIn]:
    """The Langfuse stand-in; reset after every test."""
    yield from _session_stand_in(LangfuseStandIn())


@pytest.fixture(scope="session")
def cloud() -> Iterator[CloudStandIn]:
    """An OpenAI-compatible cloud on an address that `cloud.policy` makes not local; reset after every test."""
    yield from _session_stand_in(CloudStandIn(cloud_host()))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisProcess]:
    """A real Redis, emptied after every test. Tests that kill or freeze it bring it back."""
    with RedisProcess() as server:
        _redis.append(server)
        yield server
        _redis.remove(server)


def quiet_policy(policy: Any) -> Any:
    """The test's policy, with the response cache off unless it names one: equal requests must reach the model."""
    if policy is None:
        return {"cache": {"enabled": False}}
    return {"cache": {"enabled": False}, **policy} if isinstance(policy, dict) else policy


@pytest.fixture(autouse=True)
def _clean_stand_ins() -> Iterator[None]:
    yield
    for stand_in in _stand_ins:
        broken, stand_in.errors = stand_in.errors, []
        stand_in.reset()
        assert broken == [], f"the {type(stand_in).__name__} itself failed"
    for server in _redis:
        server.flush()


@pytest.fixture(scope="session")
def gateway(ollama: OllamaStub) -> Iterator[GatewayProcess]:
    """The gateway with the shipped config and default policy, shared by all tests."""
    # Which model is in memory changes from test to test; routes must not.
    policy = quiet_policy({"resilience": {"cold_start": {"prefer_loaded": False}}})
    with GatewayProcess(ollama_url=ollama.url, policy=policy) as process:
        yield process


@pytest.fixture
def start_gateway(ollama: OllamaStub) -> Iterator[Callable[..., GatewayProcess]]:
    """Start a gateway of the test's own (arguments of `GatewayProcess`); ended and removed after the test."""
    started: list[GatewayProcess] = []

    def start(config: Any = None, **options: Any) -> GatewayProcess:
        options.setdefault("ollama_url", ollama.url)
        options["policy"] = quiet_policy(options.get("policy"))
        process = GatewayProcess(config, **options)
        started.append(process)
        return process.start()

    yield start
    for process in started:
        process.close()


@pytest.fixture(scope="session")
def shared_gateway(ollama: OllamaStub) -> Iterator[Callable[..., GatewayProcess]]:
    """Like `start_gateway`, but equal arguments get the same running gateway; the last two stay up."""
    kept: dict[str, GatewayProcess] = {}

    def start(config: Any = None, **options: Any) -> GatewayProcess:
        options.setdefault("ollama_url", ollama.url)
        options["policy"] = quiet_policy(options.get("policy"))
        key = repr((config, sorted(options.items())))
        process = kept.pop(key, None)
        if process is not None and process.returncode is not None:
            process.close()
            process = None
        if process is None:
            while len(kept) >= _KEPT_GATEWAYS:
                kept.pop(next(iter(kept))).close()
            process = GatewayProcess(config, **options)
            try:
                process.start()
            except BaseException:
                process.close()
                raise
        kept[key] = process
        return process

    yield start
    for process in kept.values():
        process.close()
