"""From a finished call to its one record: built and redacted in a thread, so that no request waits for it."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aicc_hooks import __version__
from aicc_hooks.adapter.calls import Call
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.errors import ConfigError
from aicc_hooks.payload.response import parse_response
from aicc_hooks.policy import Policy
from aicc_hooks.record import (
    Attempt,
    JsonLog,
    KnownValues,
    LangfuseAccess,
    LiveValues,
    Outbox,
    RecordDraft,
    Redactor,
    Spool,
    SpoolReader,
    values_of,
)
from aicc_hooks.record.langfuse import LangfuseExporter
from aicc_hooks.record.scrub import Scrubber, install, install_excepthooks
from aicc_hooks.resilience.context import truncated
from aicc_hooks.resilience.health_check import ProbeResult

log = logging.getLogger("aicc_hooks")

# What of a request's body is recorded. A field that is not here is never written.
_INPUT_FIELDS = ("system", "instructions", "messages", "input", "prompt", "suffix", "query", "documents", "tools", "functions",
                 "response_format")  # fmt: skip
_CUT_OFF = ("length", "max_tokens", "incomplete")  # as chat, messages and responses say it
_KEY_FILE = ".record_key"


@dataclass(slots=True)
class Outcome:
    """What the gate saw leave: status, bytes (bounded) and times as perf_counter seconds."""

    status: int = 0
    body: bytes = b""
    first_byte: float = 0.0
    ended: float = 0.0
    disconnected: bool = False


class Recorder:
    """Owns spool, redactor, log scrubber and Langfuse delivery of one process."""

    def __init__(self, home: Path, env: Mapping[str, str]) -> None:
        self._home = home
        self._env = env
        self.live = LiveValues()
        self.counters: Counter[str] = Counter()
        self.spool: Spool | None = None
        self.exporter: LangfuseExporter | None = None
        self.redactor: Redactor | None = None
        self.problem = ""
        self._policy: Policy | None = None
        self._key = b""
        self._undo: list[Callable[[], None]] = []
        self._queue: queue.Queue[tuple[Call, Outcome] | None] = queue.Queue(maxsize=10_000)
        self._thread: threading.Thread | None = None

    @property
    def database(self) -> Path:
        """usage.db of this gateway."""
        return self._home / "usage.db"

    def reader(self) -> SpoolReader:
        """A reader for pages and reports."""
        return SpoolReader(self.database, on_damage=self.suspect)

    def suspect(self) -> None:
        """usage.db was found damaged; its writer looks after it."""
        if self.spool is not None:
            self.spool.suspect()

    def configure(self, policy: Policy, detector: PrivacyDetector) -> None:
        """Take a policy into force. The queue and the log of a running spool, and delivery, stay until the restart."""
        self._policy = policy
        self._key = self._key or load_key(self._home / _KEY_FILE)
        self.redactor = Redactor(detector, policy.redaction, self._key)
        self._scrub_logs()
        if self.spool is None:
            self._start(policy)
        else:
            self.spool.configure(policy.record)

    def _start(self, policy: Policy) -> None:
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            access = LangfuseAccess.from_env(policy.langfuse, self._env)
            json_log = JsonLog(self._home / "logs" / "gateway.jsonl", policy.record.log)
            sinks = ("langfuse",) if access else ()
            self.spool = Spool(self.database, policy.record, sinks=sinks, on_commit=json_log.write).start()
            if access is not None:
                self.exporter = LangfuseExporter(
                    Outbox(self.database, "langfuse", on_damage=self.suspect),
                    access,
                    policy.langfuse,
                    version=__version__,
                )
                with contextlib.suppress(RuntimeError):
                    self.exporter.start()
        except (OSError, ConfigError) as error:
            # Records are a convenience: the gateway serves without them, and health says so.
            self.problem = (
                f"records are off: {error if isinstance(error, ConfigError) else type(error).__name__}"
            )
            log.error("%s", self.problem)
        self._thread = threading.Thread(target=self._run, name="aicc-record", daemon=True)
        self._thread.start()

    def _scrub_logs(self) -> None:
        assert self.redactor is not None
        before = self._undo
        # The new one first: no line of another thread may pass between the two.
        self._undo = [install(Scrubber(self.redactor, self.live))]
        install_excepthooks()
        for undo in before:
            undo()

    # --- on the request path ----------------------------------------------------------------

    def hold(self, call: Call) -> None:
        """Remember the found values of a running request, so that no log line repeats them."""
        if call.verdict is None or call.extract is None or not call.verdict.privacy.findings:
            return
        call.known = values_of(call.extract.segments, call.verdict.privacy.findings)
        self.live.hold(call.id, KnownValues(call.known))

    def finish(self, call: Call, outcome: Outcome) -> None:
        """Hand a finished call over. Never waits; a full queue drops the record and counts it."""
        self.live.release(call.id)
        try:
            self._queue.put_nowait((call, outcome))
        except queue.Full:
            self._lost("dropped")

    def _lost(self, why: str) -> None:
        self.counters[why] += 1
        if self.spool is not None:  # its counts reach the report, the metrics and the alerts
            self.spool.lost()

    def trouble(self) -> str:
        """Why records are not written now, or ""."""
        return self.spool.trouble() if self.spool is not None else self.problem

    # --- in the thread ----------------------------------------------------------------------

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._write(*item)
            except Exception as error:
                self._lost("failed")
                log.error("a record could not be built: %s", type(error).__name__)

    def _write(self, call: Call, outcome: Outcome) -> None:
        if self.spool is None or self.redactor is None or self._policy is None:
            return
        record = self._draft(call, outcome).build(self.redactor, user=self._policy.record.user)
        if not self.spool.put(record):
            self.counters["dropped"] += 1

    def _draft(self, call: Call, outcome: Outcome) -> RecordDraft:
        decision = call.decision
        draft = RecordDraft(
            id=call.id, start=call.wall, end=call.wall + (outcome.ended - call.started), endpoint=call.endpoint,
            requested=call.requested, verdict=call.verdict, decision=decision, known=call.known, cache=call.cache_tier,
            cache_similarity=call.cache_similarity, cache_age_s=call.cache_age_s,
            status=499 if outcome.disconnected else outcome.status, error=call.error_code,
            error_text=call.refusal.message if call.refusal else "", user=call.user, session=call.session,
            user_agent=call.client, stream=call.stream, mode=call.mode, cold_start=call.cold_start,
        )  # fmt: skip
        if outcome.disconnected:
            draft.error = "client_disconnected"
        if (given := call.assignment) is not None:
            draft.prompt_name, draft.prompt_version = given.prompt_name, given.prompt_version
            draft.variant_content, draft.unit = given.content, (given.unit.kind, given.unit.value)
        _add_times(draft, call, outcome)
        if (
            call.body is not None and call.verdict is not None
        ):  # what was refused unjudged is not written at all
            draft.input = {key: call.body[key] for key in _INPUT_FIELDS if key in call.body}
        facts = (
            parse_response(call.endpoint, outcome.body, stream=call.stream) if outcome.status == 200 else None
        )
        if facts is not None:
            draft.output = facts.output
            draft.prompt_tokens, draft.completion_tokens = facts.prompt_tokens, facts.completion_tokens
            if facts.error and not draft.error:
                draft.error = call.error_code or "aicc_upstream_down"
        if facts is not None and not draft.prompt_tokens and call.verdict is not None:
            draft.prompt_tokens = call.verdict.tokens
            draft.completion_tokens = estimate_tokens(str(facts.output or ""))
        if facts is not None and call.attempts:
            finish = "length" if facts.finish in _CUT_OFF else facts.finish
            one = call.needs is not None and call.needs.mode == "chat"  # else the tokens of many texts
            draft.cut = truncated(finish, draft.prompt_tokens, call.attempts[-1].num_ctx if one else 0)
        draft.cut = "prompt" if call.cut else draft.cut
        draft.attempts = [
            Attempt(deployment=a.deployment_label, error=a.error) for a in call.attempts if a.error
        ]
        if call.attempts:
            last = call.attempts[-1]
            draft.deployment = last.deployment_label
            if decision is not None and last.group and last.group != decision.route and outcome.status == 200:
                draft.route, draft.reason = last.group, "fallback:upstream_down"
        return draft

    # --- for health ---

    async def langfuse_probe(self) -> ProbeResult:
        """Reachable, and the keys are valid."""
        assert self.exporter is not None
        ok, detail = await self.exporter.auth_check()
        return ProbeResult("up" if ok else "down", detail)

    async def backlog(self) -> int:
        """Records that wait for delivery to Langfuse."""
        assert self.exporter is not None
        state = await self.exporter.status()
        return int(state.get("pending") or 0)

    # --- end --------------------------------------------------------------------------------

    def close(self, timeout: float = 5.0) -> bool:
        """Write what is queued and stop. True when nothing was left behind."""
        if self._thread is None:
            return True
        self._queue.put(None)
        self._thread.join(timeout)
        clean = not self._thread.is_alive()
        if self.spool is not None:
            clean = self.spool.close(timeout) and clean
        return clean

    async def stop_delivery(self) -> None:
        """End the Langfuse exporter; what it owes stays in the spool."""
        if self.exporter is not None:
            await self.exporter.stop()


def _add_times(draft: RecordDraft, call: Call, outcome: Outcome) -> None:
    timings = call.timings
    inspect = timings.get("inspect")
    # The gate's clock runs on while the hooks judge; the record's parts must add up.
    draft.gate_ms = max(0.0, timings["gate"] - (inspect or 0.0)) if "gate" in timings else None
    draft.hooks_ms = inspect
    draft.cache_ms = timings.get("cache")
    if call.attempts:
        ended = call.attempts[-1].ended or outcome.ended
        draft.upstream_ms = max(0.0, (ended - call.attempts[0].started) * 1000)
    if outcome.first_byte:
        draft.first_token_ms = (outcome.first_byte - call.started) * 1000


def load_key(path: Path) -> bytes:
    """The key of pseudonyms and redaction hashes: 32 random bytes in a 0600 file, made on first use.

    A folder that cannot be written gives a key of this process alone: hashes then change at a restart.
    """
    with contextlib.suppress(OSError):
        found = path.read_bytes()
        if len(found) >= 16:
            return found
    key = secrets.token_bytes(32)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
    with contextlib.suppress(OSError):  # another worker may have been first
        return path.read_bytes() or key
    return key
