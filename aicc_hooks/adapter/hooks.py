"""The detectors' LiteLLM callbacks. Each one's hook works alone; together they apply one decision once.

LiteLLM calls `async_pre_call_hook` only when the class itself defines it (1.106.2, proxy/utils.py:2829), so
every class below does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from litellm.proxy._types import ProxyException

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.hook import ENDPOINTS, Hook, name_of, proxy_error
from aicc_hooks.adapter.refusals import as_exception, locality_unknown, not_here
from aicc_hooks.adapter.selftest import PROBE, PROBE_KEY, ProbeReached
from aicc_hooks.catalog import IN_PROCESS, address_of
from aicc_hooks.payload import extract
from aicc_hooks.relay import stays_here
from aicc_hooks.resilience.classify import Outcome

# What a model is told, of every API.
_TOLD: Final = (
    "messages",
    "system",
    "input",
    "instructions",
    "prompt",
    "query",
    "documents",
    "tools",
    "functions",
)
_INLINE_CHARS: Final = 32_000  # reading more would stall other streams


class PrivacyHook(Hook):
    """Keeps private requests on this machine, at every attempt LiteLLM makes."""

    aicc_part = "privacy"

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict, call_type: Any
    ) -> dict:
        """Judge and rewrite before routing."""
        return await self.apply(data, str(call_type))

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list,
        messages: list | None,
        request_kwargs: dict | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict]:
        """In a group with local and cloud deployments, leave a private request only the local ones."""
        call = calls.find(request_kwargs or {})
        if call is None or not call.local_only:
            # Unseen calls are judged by the deployment hook, which is the guarantee.
            return healthy_deployments
        found = [
            (d, await self._is_local(d.get("litellm_params") or {}, d.get("model_info") or {}))
            for d in healthy_deployments
        ]
        local = [deployment for deployment, here in found if here]
        if not local:
            raise self._refused(call, None if any(here is None for _, here in found) else False)
        return local

    async def async_pre_call_deployment_hook(self, kwargs: dict, call_type: Any) -> dict | None:
        """The last door: a private request that meets an address off this machine stops here."""
        if kwargs.get(PROBE_KEY) is PROBE:
            raise ProbeReached
        call = calls.find(kwargs)
        if call is None or call.decision is None:
            call = await self._judge_unseen(kwargs, call_type)
        info = kwargs.get("model_info") or {}
        if not call.local_only:
            if not await self._is_near(kwargs, info):
                await self._judge_sent(call, kwargs, call_type)
            return None
        if not (here := await self._is_local(kwargs, info)):
            self.runtime.counters["private_stopped_at_deployment"] += 1
            self._blame_nobody(call)
            raise self._refused(call, here)
        return None

    def _blame_nobody(self, call: Call) -> None:
        """No server was asked, so none is to blame."""
        for attempt in call.attempts:
            if not attempt.ended:
                self.runtime.upstreams.end(attempt, Outcome.CANCELLED)

    async def _judge_sent(self, call: Call, kwargs: Mapping[str, Any], call_type: Any) -> None:
        """What LiteLLM sends may be more than what was judged: calls of tools it remembered, results of tools it ran itself.

        Only what is new is scanned. Fields that config.yaml adds (headers, credentials) are the owner's, not read.
        """
        body = {name: kwargs[name] for name in _TOLD if name in kwargs}
        endpoint = ENDPOINTS.get(name_of(call_type), "other")
        known = call.extract.segments if call.extract is not None else []
        if sum(len(segment.text) for segment in known) > _INLINE_CHARS:
            sent = await asyncio.to_thread(extract, endpoint, body)
        else:
            sent = extract(endpoint, body)
        texts = {segment.text for segment in known}
        new = [segment for segment in sent.segments if segment.text not in texts]
        opaque = sent.opaque - (call.extract.opaque if call.extract is not None else set())
        unread = (
            opaque.intersection(self.runtime.policy.privacy.uninspectable) and self.runtime.active.privacy
        )
        if not unread and not (new and (await self.runtime.judging.privacy(new)).sensitive):
            return
        self.runtime.counters["private_found_in_what_is_sent"] += 1
        self._blame_nobody(call)
        assert call.decision is not None
        assert call.verdict is not None
        call.decision = replace(call.decision, local_only=True, cache=False)
        call.verdict = replace(call.verdict, sticky=True)
        call.refusal = not_here(tried=False)
        raise as_exception(call.refusal, str(kwargs.get("model") or ""))  # a local model may still answer

    def _refused(self, call: Call, here: bool | None) -> ProxyException:
        call.refusal = locality_unknown() if here is None else not_here(tried=bool(call.attempts))
        return proxy_error(call.refusal, call, self.runtime)

    async def _judge_unseen(self, kwargs: Mapping[str, Any], call_type: Any) -> Call:
        """A path that skipped the hooks (/queue, /rag, …): classify what is about to be sent."""
        endpoint = ENDPOINTS.get(name_of(call_type), "other")
        call = await self.judge_alone(kwargs, endpoint)
        self.runtime.counters["judged_at_deployment"] += 1
        return call

    async def _is_local(self, params: Mapping[str, Any], info: Mapping[str, Any]) -> bool | None:
        """None: an Ollama on this machine that does not say whether it passes the model on."""
        if not await self._is_near(params, info):
            return False
        address = address_of(params, ollama_default=self.runtime.ollama_default())
        return await self.runtime.upstreams.runs_at(address, str(params.get("model") or ""))

    async def _is_near(self, params: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
        """Whether the address is on this machine and no server of config.yaml's passes requests on."""
        if not stays_here(params, info):
            return False
        address = address_of(params, ollama_default=self.runtime.ollama_default())
        return address == IN_PROCESS or (bool(address) and await self.runtime.locality.acheck(address))


class InjectionHook(Hook):
    """Flags, reroutes or blocks prompt injections."""

    aicc_part = "injection"

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict, call_type: Any
    ) -> dict:
        """Judge and rewrite before routing."""
        return await self.apply(data, str(call_type))


class ComplexityHook(Hook):
    """Chooses the model group for `auto` by how hard the ask is."""

    aicc_part = "complexity"

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict, call_type: Any
    ) -> dict:
        """Judge and rewrite before routing."""
        return await self.apply(data, str(call_type))
