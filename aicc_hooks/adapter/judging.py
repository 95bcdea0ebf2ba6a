"""From a call's texts to its verdict and decision: where a text is scanned depends on how long it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aicc_hooks.adapter import trials
from aicc_hooks.adapter.calls import Call
from aicc_hooks.catalog import Catalog
from aicc_hooks.decide import decide
from aicc_hooks.inspection import Active, Inspector
from aicc_hooks.policy import Policy
from aicc_hooks.resilience.context import tokens_needed
from aicc_hooks.scanning import ScanPool, ScanUnavailable
from aicc_hooks.verdict import Needs, PrivacyResult, Segment, Verdict

if TYPE_CHECKING:
    from aicc_hooks.adapter.runtime import Runtime

log = logging.getLogger("aicc_hooks")

_INLINE_CHARS = 16_000  # about 2 ms of scanning: beyond it the loop would stall other streams
_PROCESS_CHARS = 64_000  # 25 ms: beyond it a thread takes the interpreter lock from the loop too often
_ANSWERS_NOTHING = ("embedding", "rerank")  # their replies take no tokens of the context


class Judging:
    """One per process: scans and decides."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="aicc-scan")
        self.process = ScanPool(runtime.counters)

    async def judge(self, call: Call) -> None:
        """Fill in the call's verdict and decision. Raises ConfigError without a policy."""
        runtime = self._runtime
        policy, inspector = runtime.policy, runtime.inspector
        assert inspector is not None
        catalog = await runtime.refresh_catalog()
        extract = call.extract
        assert extract is not None
        active = runtime.active
        begin = time.perf_counter()
        verdict = await self._inspect(
            inspector, extract.segments, extract.tools, active, process=policy.speed.scan_process
        )
        if active.privacy and extract.opaque.intersection(policy.privacy.uninspectable):
            # Nobody here can read an attached PDF, so nobody may say it is harmless.
            verdict = replace(verdict, privacy=replace(verdict.privacy, failed=True))
        if call.session and active.privacy:
            verdict = await self._stick(call.session, verdict)
        call.timings["inspect"] = (time.perf_counter() - begin) * 1000
        self._settle(call, verdict, policy, catalog)

    async def privacy(self, segments: Sequence[Segment]) -> PrivacyResult:
        """Privacy alone, for texts that came after the verdict. Fails closed."""
        policy, inspector = self._runtime.policy, self._runtime.inspector
        assert inspector is not None
        only = Active(privacy=self._runtime.active.privacy, injection=False, complexity=False)
        verdict = await self._inspect(inspector, segments, 0, only, process=policy.speed.scan_process)
        return verdict.privacy

    async def stop(self) -> None:
        """End the scan process."""
        await self.process.aclose()

    async def _inspect(
        self, inspector: Inspector, segments: Sequence[Segment], tools: int, active: Active, *, process: bool
    ) -> Verdict:
        """Short texts here, longer ones in a thread, long ones in the scan process; a thread when that fails."""
        size = sum(len(s.text) for s in segments)
        if size <= _INLINE_CHARS:
            return inspector.inspect(segments, tools=tools, active=active)
        if process and size > _PROCESS_CHARS:
            try:
                verdict = await self.process.inspect(inspector, segments, tools=tools, active=active)
            except ScanUnavailable:
                self._runtime.counters["scan_process_fallbacks"] += 1
            else:
                for name in ("privacy", "injection", "complexity"):
                    if getattr(verdict, name).failed:
                        inspector.failures[name] += 1
                return verdict
        scan = partial(inspector.inspect, segments, tools=tools, active=active)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, scan)
        except (RuntimeError, MemoryError) as error:  # no thread to be had
            inspector.failures["privacy"] += 1
            log.error("a text could not be scanned: %s", type(error).__name__)
            return Verdict(privacy=PrivacyResult(failed=active.privacy))

    async def _stick(self, session: str, verdict: Verdict) -> Verdict:
        """A turn of a conversation that was private before is private too."""
        sticky = self._runtime.sticky
        if verdict.privacy.sensitive:
            sticky.mark(session)
            return verdict
        private = sticky.cached(session)
        if private is None:
            private = await asyncio.to_thread(sticky.look_up, session)
        return replace(verdict, sticky=True) if private else verdict

    def _settle(self, call: Call, verdict: Verdict, policy: Policy, catalog: Catalog) -> None:
        assert call.extract is not None
        call.verdict = verdict
        context = policy.resilience.context
        needs = call.extract.needs
        most = 0 if needs.mode in _ANSWERS_NOTHING else context.reply_tokens

        def room(wanted: Needs) -> Needs:
            return replace(wanted, tokens=tokens_needed(wanted.tokens, wanted.reply, most, context.safety))

        call.needs = room(needs)
        up = self._runtime.upstreams
        settle = partial(
            decide,
            verdict,
            policy,
            catalog,
            requested=call.requested,
            down=up.down(),
            loaded=up.loaded(),
            hurried=up.hurried(),
        )
        call.decision = settle(needs=call.needs)
        variant = trials.assign(self._runtime.experiments, call, verdict, catalog, call.decision)
        if variant is not None:
            more = room(trials.needs_with(variant, needs))
            with_it = settle(needs=more, experiment=variant.for_decision(private=call.decision.local_only))
            if with_it.blocked:  # a variant that no model can take gives way
                self._runtime.experiments.failed()
            else:
                call.needs, call.decision = more, trials.decided(call, with_it, variant)
