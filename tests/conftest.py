"""Servers shared by all tests: one stand-in of each kind, one gateway a configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.harness import GatewayProcess, RedisProcess, cloud_host
from tests.harness.pool import GatewayPool
from tests.ollama_stub import OllamaStub
from tests.standins.cloud import CloudStandIn
from tests.standins.langfuse import LangfuseStandIn
from tests.standins.server import StandIn

# Hypothesis' own time limits measure the machine too, and a run that draws other values than the last one fails
# for whoever comes by: `--hypothesis-profile=explore` looks for new ones.
_UNTIMED: Any = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("untimed", derandomize=True, **_UNTIMED)
settings.register_profile("explore", **_UNTIMED)
settings.load_profile("untimed")

_stand_ins: list[StandIn] = []
_redis: list[RedisProcess] = []
# Files whose tests share gateways: together in one worker, where several run.
_TOGETHER = (
    {
        "test_clients.py",
        "test_cors.py",
        "test_old_functions.py",
        "test_concurrency.py",
        "test_integration.py",
        "test_rerank.py",
        "test_speed.py",
    },
    {"test_caching_gateway.py", "test_caching_rules_gateway.py"},
)
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
    """Like `start_gateway`, but a gateway that runs with equal arguments is taken; its policy is changed if it differs.

    The last two stay up. Ask for it in each test (not once a module): another test may have changed the policy.
    """
    pool = GatewayPool(_KEPT_GATEWAYS)

    def start(config: Any = None, **options: Any) -> GatewayProcess:
        options.setdefault("ollama_url", ollama.url)
        return pool.get(config, quiet_policy(options.pop("policy", None)), **options)

    yield start
    pool.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers: files that start gateways first, so that the quick ones fill the gaps at the end."""
    if not hasattr(config, "workerinput"):
        return
    tests, live = (
        Counter(item.path for item in items),
        {i.path for i in items if i.get_closest_marker("live")},
    )
    items.sort(key=lambda item: (item.path not in live, -tests[item.path] if item.path not in live else 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each file in one worker, so that what its tests share is made once; `_TOGETHER` goes to the same one."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            name = file.rpartition("/")[2]
            return next((min(files) for files in _TOGETHER if name in files), file)

    return ByFile(config, log)
