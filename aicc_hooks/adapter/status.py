"""What the gateway says about itself."""

from __future__ import annotations

import math
from typing import Any

from aicc_hooks import __version__
from aicc_hooks.access import LAN_KEY, fit_for_lan
from aicc_hooks.adapter.runtime import Runtime


def _circuits(runtime: Runtime) -> str:
    """Upstreams that are left alone now, why, and for how long. One whose time is over is no problem to tell."""
    names = runtime.catalog.deployment_names
    return "; ".join(
        f"{names.get(key, key)}: left alone for {math.ceil(seconds)} s ({reason})"
        for (_, key), (_, seconds, reason) in runtime.upstreams.breaker.open_circuits().items()
        if seconds > 0
    )


async def health(runtime: Runtime) -> dict[str, Any]:
    """The body of /aicc/health."""
    current = runtime.store.current
    problems = dict(runtime.problems)
    if runtime.store.error:
        problems["policy"] = runtime.store.error
    if runtime.fatal:
        problems["selftest"] = runtime.fatal
    if not runtime.master_key():
        problems["key"] = "AICC_MASTER_KEY is not set; nothing is served"
    elif current is not None and current.policy.lan and not fit_for_lan(runtime.master_key()):
        problems["lan"] = (
            f"`lan: true` needs an AICC_MASTER_KEY of at least {LAN_KEY} random characters; other machines are refused"
        )
    if runtime.inspector is not None and (disabled := runtime.inspector.privacy.pattern_problems):
        problems["patterns"] = "; ".join(f"{one.field} is disabled: it {one.reason}" for one in disabled[:5])
    if runtime.recorder.problem:
        problems["records"] = runtime.recorder.problem
    problems |= runtime.experiments.problems()
    if runtime.cached.problem:
        problems["semantic_cache"] = runtime.cached.problem
    if runtime.judging.process.problem:
        problems["scan_process"] = runtime.judging.process.problem
    if runtime.known_leaks:
        problems["callbacks"] = f"allowed to see unredacted text: {', '.join(runtime.known_leaks)}"
    down = bool(runtime.fatal) or current is None or not runtime.master_key()
    checker = runtime.upstreams.health
    seen = checker.snapshot() if checker is not None else {"status": "degraded", "dependencies": {}}
    for name, look in (checker.details() if checker is not None else {}).items():
        # The contract's four dependencies speak for themselves; of the others, what is wrong must be said somewhere.
        if name not in seen["dependencies"] and (look["warning"] or look["status"] == "down"):
            problems[name] = look["detail"]
    if trouble := runtime.recorder.trouble():  # as it is now: no probe's pause in between
        problems["spool"] = trouble
    if unknown := runtime.upstreams.unknown_models:
        problems["policy_models"] = "; ".join(unknown[:5])
    if circuits := _circuits(runtime):
        problems["circuits"] = circuits
    worst = "down" if down else seen["status"]
    return {
        "status": "degraded" if worst == "ok" and problems else worst,
        "version": __version__,
        "policy_version": current.version if current else None,
        "dependencies": seen["dependencies"],
        "problems": problems,
        "known_leaks": list(runtime.known_leaks),
        "failures": dict(runtime.inspector.failures) if runtime.inspector else {},
        "counters": {**runtime.counters, "experiment_failures": runtime.experiments.failures},
    }
