"""Delivers the spool to Langfuse: in the background, at least once, one worker at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Sequence
from typing import Any

import httpx

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import otlp
from aicc_hooks.record.config import LangfuseAccess, LangfuseConfig
from aicc_hooks.record.langfuse_api import Answer, LangfuseApi, Outcome
from aicc_hooks.record.outbox import Outbox, Owed

log = logging.getLogger("aicc.record")

SINK = "langfuse"
_SERVER_FAULTS = 3  # same-batch 5xx answers after which one record may be the cause


class LangfuseExporter:
    """One a process. Refused records are set aside after `max_tries`, and never block the others.

    A refusal counts against a record only when the server took another one in the same round, or the
    record is alone: a server that refuses everything is at fault itself, and nothing is lost to it.
    """

    def __init__(
        self,
        outbox: Outbox,
        access: LangfuseAccess,
        config: LangfuseConfig,
        *,
        version: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._outbox = outbox
        outbox.farthest_s = max(outbox.farthest_s, 2 * config.backoff_max_s)
        self._config = config
        self._version = version
        self._api = LangfuseApi(access, config.timeout_s, transport=transport)
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._round_lock = asyncio.Lock()
        self._leased_until = 0.0
        self._failures = 0
        self._server_faults = 0
        self._retry_after: float | None = None
        self._state = "idle"
        self._detail = ""
        self._last_success: float | None = None
        self._next_attempt: float | None = None

    def start(self) -> None:
        """Deliver from now on; needs a running loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="aicc-langfuse")

    async def stop(self, grace_s: float = 1.0) -> None:
        """Finish the batch on its way (up to `grace_s`) and free the lease. What is left stays owed."""
        self._stop.set()
        if self._task is not None:
            _, pending = await asyncio.wait({self._task}, timeout=grace_s)
            for task in pending:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            self._task = None
        with contextlib.suppress(SpoolError):
            if self._leased_until:
                await asyncio.to_thread(self._outbox.release)
        await self._api.aclose()
        await asyncio.to_thread(self._outbox.close)

    async def flush(self, limit_s: float = 30.0) -> bool:
        """Deliver all that is owed now, forgetting waiting times; False when something is left."""
        until = time.monotonic() + limit_s
        await asyncio.to_thread(self._outbox.hasten)
        while time.monotonic() < until:
            if await self._round() != "progress":
                break
        return int((await asyncio.to_thread(self._outbox.state))["pending"]) == 0

    async def status(self, *, check: bool = False) -> dict[str, Any]:
        """State, host, backlog and counts; `check` asks the server whether the keys work."""
        try:
            owed: dict[str, Any] = await asyncio.to_thread(self._outbox.state)
        except SpoolError as error:
            owed = {"error": str(error)}
        status = {
            "state": self._state,
            "host": self._api.host,
            "detail": self._detail,
            "last_success": self._last_success,
            "next_attempt": self._next_attempt,
            "failures_in_a_row": self._failures,
            **owed,
        }
        if check:
            status["reachable"], status["detail"] = await self._api.auth_check()
        return status

    async def auth_check(self) -> tuple[bool, str]:
        """(keys work, sentence for people)."""
        return await self._api.auth_check()

    async def read_back(self, record_id: str) -> dict[str, Any] | None:
        """The trace of one of our records as Langfuse holds it, None when absent. Raises httpx.HTTPError."""
        return await self._api.read_back(otlp.trace_id(record_id))

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                result = await self._round()
            except SpoolError as error:
                self._failures += 1
                self._state, self._detail, result = "spool", str(error), "failed"
            except Exception as error:
                # The task must outlive a bug: without it traces would stop silently until a restart.
                self._failures += 1
                self._state, self._detail, result = "failed", type(error).__name__, "failed"
                log.error("delivery to Langfuse failed: %s", type(error).__name__)
            if result == "progress":
                continue
            await self._sleep(self._config.interval_s if result == "idle" else self._wait())

    async def _sleep(self, seconds: float) -> None:
        self._next_attempt = time.time() + seconds
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        self._next_attempt = None

    def _wait(self) -> float:
        """What the server asked for, else exponential backoff with jitter: gateways must not knock in step."""
        after, self._retry_after = self._retry_after, None
        if after is not None:
            return after
        top = min(self._config.backoff_max_s, self._config.interval_s * 2 ** min(self._failures, 20))
        return float(top * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def _round(self) -> str:
        """One batch: `progress` (go on at once), `idle` (nothing due), or `failed` (wait)."""
        async with self._round_lock:
            if not await asyncio.to_thread(self._outbox.has_due):
                if self._state in ("delivering", "standby"):
                    self._state = "idle"
                return "idle"
            if not await self._lease():
                self._state = "standby"
                return "idle"
            owed = await asyncio.to_thread(self._outbox.due, self._config.batch_size)
            if not owed:
                return "idle"
            return await self._deliver(owed)

    async def _lease(self) -> bool:
        """Renewed only past half of its time: an update a second would keep the disk awake."""
        if self._leased_until - time.monotonic() > self._config.lease_s / 2:
            return True
        held = await asyncio.to_thread(self._outbox.lease, self._config.lease_s)
        self._leased_until = time.monotonic() + self._config.lease_s if held else 0.0
        return held

    async def _deliver(self, owed: Sequence[Owed]) -> str:
        batch, body = await asyncio.to_thread(self._encode, owed)
        if not body:
            return await self._refuse(batch[0], "cannot be encoded")
        answer = await self._api.send(body)
        if answer.outcome is Outcome.ACCEPTED:
            await asyncio.to_thread(self._outbox.ack, [item.seq for item in batch])
            self._succeeded()
            return "progress"
        self._server_faults = self._server_faults + 1 if answer.detail.startswith("status 5") else 0
        if answer.outcome is Outcome.INVALID or (self._server_faults >= _SERVER_FAULTS and len(batch) > 1):
            return await self._isolate(batch, answer)
        return await self._failed(answer)

    def _encode(self, owed: Sequence[Owed]) -> tuple[Sequence[Owed], bytes]:
        """As many records as fit `batch_bytes`, at least one. b"" when the first cannot be encoded."""
        bodies: list[bytes] = []
        size = 0
        for item in owed:
            try:
                one = otlp.encode([item.record], version=self._version, environment=self._config.environment)
            except Exception:
                if not bodies:
                    return [item], b""
                break
            if bodies and size + len(one) > self._config.batch_bytes:
                break
            bodies.append(one)
            size += len(one)
        # Protobuf messages concatenate: repeated fields append, so no record is encoded twice.
        return owed[: len(bodies)], b"".join(bodies)

    async def _isolate(self, batch: Sequence[Owed], first: Answer) -> str:
        """Send each alone to find the refused ones."""
        accepted: list[int] = []
        refused: list[Owed] = []
        for item in batch:
            if self._stop.is_set() or not await self._lease():
                break
            _, body = await asyncio.to_thread(self._encode, [item])
            answer = await self._api.send(body) if body else Answer(Outcome.INVALID)
            if answer.outcome is Outcome.ACCEPTED:
                accepted.append(item.seq)
                await asyncio.to_thread(self._outbox.ack, [item.seq])
            elif answer.outcome is Outcome.INVALID or answer.detail.startswith("status 5"):
                refused.append(item)
                if not accepted and len(refused) >= 5 and len(batch) > 5:
                    break  # it refuses everyone: no need to try them all
            else:
                break
        if accepted:
            self._succeeded()
        if accepted or (len(batch) == 1 and first.outcome is Outcome.INVALID):
            for item in refused:
                await self._refuse(item, first.detail)
            return "progress" if accepted else "failed"
        for item in refused[:1]:
            # All were refused. Step aside with one, so that another leads the next round and can show
            # whether the server takes anything.
            await asyncio.to_thread(self._outbox.postpone, item.seq, time.time() + self._wait())
        return await self._failed(Answer(first.outcome, f"every record refused ({first.detail})"))

    async def _refuse(self, item: Owed, why: str) -> str:
        delay = min(self._config.backoff_max_s, self._config.interval_s * 2 ** min(item.tries + 1, 20))
        dead = await asyncio.to_thread(
            self._outbox.refuse, item.seq, next_at=time.time() + delay, max_tries=self._config.max_tries
        )
        if dead:
            log.warning(
                "Langfuse refused record %s %d times (%s); it is set aside",
                item.record.id,
                item.tries + 1,
                why,
            )
        return "progress"

    def _succeeded(self) -> None:
        if self._failures:
            log.info("Langfuse is reachable again")
        self._failures = self._server_faults = 0
        self._state, self._detail, self._last_success = "delivering", "", time.time()

    async def _failed(self, answer: Answer) -> str:
        state = {Outcome.RETRY: "retrying", Outcome.INVALID: "rejected"}.get(
            answer.outcome, answer.outcome.value
        )
        if state != self._state:
            log.warning("Langfuse: %s (%s); traces wait in the spool", state, answer.detail)
        self._failures += 1
        self._state, self._detail = state, answer.detail
        self._retry_after = answer.retry_after_s
        return "failed"
