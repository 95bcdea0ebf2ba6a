"""The gateway's side: which long text is scanned next, by when, and what happens when the scan process fails."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aicc_hooks.inspection import Active, Inspector
from aicc_hooks.scanning.child import Child, command
from aicc_hooks.scanning.frames import plain_segments, verdict_of
from aicc_hooks.verdict import Segment, Verdict

SHORT: Final = 128_000  # characters; shorter texts have a lane of their own
WORTH_WAITING: Final = 400_000  # a text whose scan takes longer than a start (0.5 to 1 s) waits for it
_IDLE_S: Final = 600.0  # then the process ends, and its 35 MB are free
_START_S: Final = 30.0
_BASE_S: Final = 10.0  # also covers compiling a policy's patterns
_PER_CHAR_S: Final = 20e-6  # 40 times what it takes on an idle core: a model server may want all of them
_STEADY_S: Final = 60.0  # a process that lived so long was no failed start
_LONGEST_PAUSE_S: Final = 60.0
_SCAN_S: Final = 0.5e-6  # CPU seconds a character
_ALL: Final = Active()


class ScanUnavailable(Exception):
    """The scan process cannot give this verdict: scan the text here. The message holds no text of the request."""


@dataclass(slots=True, order=True)
class _Job:
    """A text on its way. Sorted by when it would be done if it were alone, times four: short ones first, none starves."""

    rank: float
    number: int
    size: int = field(compare=False)
    version: int = field(compare=False)
    policy: tuple[Any, ...] = field(compare=False)
    request: tuple[Any, ...] = field(compare=False)
    answer: asyncio.Future[Any] = field(compare=False)
    deadline: asyncio.TimerHandle | None = field(default=None, compare=False)

    @property
    def lane(self) -> str:
        return "short" if self.size < SHORT else "long"


class ScanPool:
    """One scan process, started for the first long text. Belongs to one event loop."""

    def __init__(
        self, counters: Counter[str] | None = None, *, argv: Sequence[str] = (), idle_s: float = _IDLE_S
    ) -> None:
        self.counters: Counter[str] = Counter() if counters is None else counters
        self.problem = ""  # why it is not used at the moment, for health
        self._argv = tuple(argv) or tuple(command())
        self._idle_s = idle_s
        self._child: Child | None = None
        self._run_task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._waiting: dict[str, list[_Job]] = {"short": [], "long": []}
        self._sent: dict[int, _Job] = {}
        self._inspector: Inspector | None = None
        self._version = 0
        self._failures = 0
        self._not_before = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process, once it answers."""
        return self._child.pid if self._child is not None else None

    async def inspect(
        self, inspector: Inspector, segments: Sequence[Segment], *, tools: int = 0, active: Active = _ALL
    ) -> Verdict:
        """What `inspector.inspect` would say, from the other process. Raises ScanUnavailable."""
        size = sum(len(s.text) for s in segments)
        if not self._at_hand(size):
            raise ScanUnavailable(self.problem)
        if inspector is not self._inspector:
            self._inspector, self._version = inspector, self._version + 1
        loop = asyncio.get_running_loop()
        job = _Job(
            rank=loop.time() + 4 * size * _SCAN_S,
            number=next(self._numbers),
            size=size,
            version=self._version,
            policy=(inspector.privacy.config, inspector.injection.config, inspector.complexity.config),
            request=((active.privacy, active.injection, active.complexity), tools, segments),
            answer=loop.create_future(),
        )
        heapq.heappush(self._waiting[job.lane], job)
        self._pump()
        try:
            row = await job.answer
        except asyncio.CancelledError:
            self._give_up(job)
            raise
        large = len(row[0][0]) > 2_000
        return await asyncio.to_thread(verdict_of, row) if large else verdict_of(row)

    async def aclose(self) -> None:
        """End the process; texts on their way are scanned by whoever asked."""
        self._closed = True
        self._retire()
        self._fail_waiting()
        if self._idle is not None:
            self._idle.cancel()
        starting = self._run_task
        if starting is not None:
            starting.cancel()
        await asyncio.gather(*self._ending, *((starting,) if starting else ()), return_exceptions=True)

    # --- the process ------------------------------------------------------------------------

    def _at_hand(self, size: int) -> bool:
        """True when the text may be queued. Starts the process where there is none."""
        if self._closed:
            return False
        if self._child is not None:
            return True
        if self._run_task is None:
            if time.monotonic() < self._not_before:
                return False
            self._start()
        return size >= WORTH_WAITING

    def _start(self) -> None:
        self.counters["scan_process_starts"] += 1
        self._run_task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """One life of the process."""
        child: Child | None = None
        began, why = time.monotonic(), "could not be started"
        try:
            async with asyncio.timeout(_START_S):
                child = await Child.start(self._argv)
                first = await child.receive()
            if first == ("ready",):
                self._child, self.problem, why = child, "", "ended"
                self._pump()
                while (parts := await child.receive()) is not None:
                    self._take(parts)
            elif first is not None and first[0] == "broken":
                why = f"could not be started ({first[1]})"
        except (OSError, TimeoutError) as error:
            why = f"could not be started ({type(error).__name__})"
        finally:
            if self._run_task is asyncio.current_task():
                self._child, self._run_task = None, None
                self._lost(why, began)
            if child is not None:
                await self._bury(child)

    def _lost(self, why: str, began: float) -> None:
        """The process ended unasked: texts it had are scanned by whoever asked; the others wait for a new one."""
        if self._closed:
            return
        self.counters["scan_process_failures"] += 1
        self._fail_sent()
        self._failures = 1 if time.monotonic() - began > _STEADY_S else self._failures + 1
        pause = 0.0 if self._failures == 1 else min(_LONGEST_PAUSE_S, 2.0 ** (self._failures - 2))
        self._not_before = time.monotonic() + pause
        if self._failures > 1:
            self.problem = f"the scan process {why}, {self._failures} times in a row; long texts are scanned in the gateway"
            self._fail_waiting()
        elif any(self._waiting.values()):
            self._start()

    async def _bury(self, child: Child) -> None:
        """Wait for its end. `aclose` waits for that too: a process is not left behind."""
        task = asyncio.current_task()
        assert task is not None
        self._ending.add(task)
        try:
            await child.end()
        finally:
            self._ending.discard(task)

    def _retire(self) -> None:
        """Let the process go: nobody needs it now."""
        child, task = self._child, self._run_task
        if child is None or task is None:
            return
        self._child, self._run_task = None, None
        self._fail_sent()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        child.hang_up()

    # --- texts ------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send the next text of each lane that is free."""
        child = self._child
        if child is None:
            return
        busy = {job.lane for job in self._sent.values()}
        for lane, waiting in self._waiting.items():
            while waiting and lane not in busy:
                job = heapq.heappop(waiting)
                if not job.answer.done():
                    self._send(child, job)
                    busy.add(lane)
        self._watch_idleness()

    def _send(self, child: Child, job: _Job) -> None:
        if job.version not in child.versions:
            child.send("policy", job.version, *job.policy)
            child.versions = [*child.versions, job.version][-2:]  # as many as it keeps
        active, tools, segments = job.request
        child.send("scan", job.number, job.version, job.lane, active, tools, plain_segments(segments))
        self._sent[job.number] = job
        limit = _BASE_S + job.size * _PER_CHAR_S
        job.deadline = asyncio.get_running_loop().call_later(limit, self._overdue, child)

    def _take(self, parts: tuple[Any, ...]) -> None:
        """An answer. One for a text nobody waits for any more only frees its lane."""
        _, number, row = parts
        job = self._sent.pop(number, None)
        if job is not None:
            _settle(job, row)
            self.counters["scan_process_texts"] += row is not None
        self._pump()

    def _give_up(self, job: _Job) -> None:
        """The client is gone: a scan under way is called off, its answer read and dropped."""
        job.request = ()
        if job.number in self._sent and self._child is not None:
            self._child.send("cancel", job.number)

    def _overdue(self, child: Child) -> None:
        self.counters["scan_process_late"] += 1
        child.kill()

    def _fail_sent(self) -> None:
        for job in self._sent.values():
            _settle(job, None)
        self._sent.clear()

    def _fail_waiting(self) -> None:
        for waiting in self._waiting.values():
            for job in waiting:
                _settle(job, None)
            waiting.clear()

    def _watch_idleness(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if not self._sent:
            self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._retire)


def _settle(job: _Job, row: Any) -> None:
    if job.deadline is not None:
        job.deadline.cancel()
    if job.answer.done():
        return
    if row is None:
        job.answer.set_exception(ScanUnavailable("the scan process gave no verdict"))
    else:
        job.answer.set_result(row)
