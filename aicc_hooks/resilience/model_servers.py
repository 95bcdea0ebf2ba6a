"""The OpenAI-compatible servers of config.yaml that run on this machine, and what is known of their models."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aicc_hooks.catalog import Catalog, Deployment
from aicc_hooks.resilience.openai_server import OpenAIServer
from aicc_hooks.resilience.probes import ServersProbe

# Providers of LiteLLM whose server speaks OpenAI's API at `api_base`.
_PROVIDERS = ("openai", "hosted_vllm", "lm_studio", "llamafile", "openai_like", "custom_openai", "text-completion-openai",
              "infinity", "huggingface")  # fmt: skip


def speaks_openai(model: str, address: str) -> bool:
    """True for a deployment (provider-prefixed model) whose server can be asked for its models."""
    provider, _, name = model.partition("/")
    # TensorZero lists no models that a request could be compared with.
    return provider in _PROVIDERS and "tensorzero::" not in name and address.startswith("http")


class ModelServers:
    """One per process. Everything but `look` and the probe answers from memory."""

    def __init__(self) -> None:
        self._servers: dict[str, OpenAIServer] = {}  # those config.yaml names now
        self._made: dict[str, OpenAIServer] = {}
        self._expected: dict[str, set[str]] = {}

    def adopt(self, catalog: Catalog, keys: Mapping[str, str]) -> None:
        """Know the servers of config.yaml; `keys`: what each address is called with."""
        expected: dict[str, set[str]] = {}
        for deployment in (d for group in catalog.groups.values() for d in group.deployments):
            if _asked(deployment):
                expected.setdefault(deployment.address, set()).add(deployment.model.partition("/")[2])
        self._expected = expected
        for address in set(self._servers) - set(expected):
            del self._servers[address]  # no longer on this machine: it is not asked again
        for address in expected:
            if address not in self._made:
                self._made[address] = OpenAIServer(address, key=keys.get(address, ""))
            self._servers[address] = self._made[address]

    def __contains__(self, address: str) -> bool:
        return address in self._servers

    async def look(self) -> None:
        """Ask each once; what does not answer stays unknown, and health tells of it."""
        for server in list(self._servers.values()):
            with contextlib.suppress(Exception):
                await server.look()

    def learnt(self, address: str, model: str) -> dict[str, Any]:
        """What the server at `address` said of a model, as `model_info`; {} while unknown."""
        server = self._servers.get(address)
        if server is None or server.serves is None:
            return {}
        served = server.serves.find(model.partition("/")[2])
        return served.as_model_info() if served is not None else {}

    def probe(
        self,
        on_reachable: Callable[[str], None],
        on_refused: Callable[[str], None],
        limit_s: Callable[[], float],
    ) -> ServersProbe | None:
        """Health's look at them; None when config.yaml names none."""
        if not self._servers:
            return None
        return ServersProbe(
            self._servers,
            self._names_asked_of,
            on_reachable=on_reachable,
            on_refused=on_refused,
            limit_s=limit_s,
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        for server in self._made.values():
            await server.aclose()

    def _names_asked_of(self, address: str) -> Iterable[str]:
        return sorted(self._expected.get(address, ()))


def _asked(deployment: Deployment) -> bool:
    # A server elsewhere is asked nothing that a client did not ask for.
    return deployment.local and speaks_openai(deployment.model, deployment.address)
