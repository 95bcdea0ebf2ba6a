"""While Ollama loads a model: comments for waiting streams, and a loaded model before one that must load."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

KEEPALIVE = b": waiting\n\n"
"""An SSE comment: clients skip it, proxies and sockets see traffic."""


def prefer_loaded(candidates: Sequence[str], loaded: Collection[str]) -> tuple[str, ...]:
    """The candidates in their order, loaded ones first. Empty `loaded` (unknown, or none) changes nothing."""
    return (*(c for c in candidates if c in loaded), *(c for c in candidates if c not in loaded))


class RequestRate:
    """Requests per second over a sliding window: what `high_qps` looks at."""

    __slots__ = ("_clock", "_times", "_window_s")

    def __init__(self, window_s: float = 10, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._clock = clock
        self._times: deque[float] = deque(maxlen=65_536)

    def tick(self) -> float:
        """Counts one request and returns the rate including it."""
        self._times.append(self._clock())
        return self.per_second()

    def per_second(self) -> float:
        """The rate now."""
        oldest = self._clock() - self._window_s
        while self._times and self._times[0] <= oldest:
            self._times.popleft()
        return len(self._times) / self._window_s
