"""What a check is given and what it answers."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aicc_hooks.gateway_config import GatewayConfig
from aicc_hooks.policy import Policy

LIMIT_S = 1.2  # what a check waits for an answer

Level = Literal["ok", "warn", "fail", "off"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `fix`: the command, or the edit, that puts it right; "" when nothing is wrong."""

    name: str
    level: Level
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """The installation as read once. `config` and `policy` are None when they cannot be used; `errors` says why."""

    home: Path
    env: Mapping[str, str]  # .env below the shell's
    port: int
    config_path: Path
    config: GatewayConfig | None = None
    policy: Policy | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    health: Mapping[str, Any] | None = None  # of the running gateway; None: none answers
    slow: bool = False  # something listens on its port and did not answer in time
    user_home: Path = field(default_factory=Path.home)
    aicc: Path = Path("aicc")


Check = Callable[[Context], Iterable[Finding]]


def run_checks(checks: Mapping[str, Check], context: Context, deadline_s: float) -> list[Finding]:
    """All checks at once, in the order given; one that does not end in time says so, one that breaks too."""
    results: queue.SimpleQueue[tuple[str, list[Finding]]] = queue.SimpleQueue()

    def one(name: str, check: Check) -> None:
        try:
            found = list(check(context))
        except Exception as error:  # a broken check must not hide the others
            found = [Finding(name, "warn", f"the check itself failed ({type(error).__name__})")]
        results.put((name, found))

    # Daemons: a look that hangs must not hold back the report or the exit.
    for name, check in checks.items():
        threading.Thread(target=one, args=(name, check), daemon=True).start()
    until = time.monotonic() + deadline_s
    done: dict[str, list[Finding]] = {}
    while len(done) < len(checks):
        try:
            name, found = results.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        done[name] = found
    late = "no answer in time; look again when the machine is less busy"
    return [f for name in checks for f in done.get(name, [Finding(name, "warn", late, "aicc doctor")])]


def exit_code(findings: Sequence[Finding]) -> int:
    """0: nothing wrong, 1: warnings, 2: something fails."""
    levels = {f.level for f in findings}
    return 2 if "fail" in levels else 1 if "warn" in levels else 0
