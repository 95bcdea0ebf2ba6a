"""Checks of the gateway itself: does it run, which version, and who can reach it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from aicc_hooks import __version__
from aicc_hooks.ops.doctor.model import LIMIT_S, Context, Finding, Level
from aicc_hooks.ops.listening import taken_by
from aicc_hooks.ops.look import port_free
from aicc_hooks.ops.single import held


def look_at_gateway(port: int) -> tuple[Mapping[str, Any] | None, bool]:
    """/aicc/health of what listens on the port, when it is our gateway; True when something took too long to answer."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/aicc/health", timeout=LIMIT_S, trust_env=False).json()
    except httpx.TimeoutException:
        return None, True
    except (httpx.HTTPError, ValueError):
        return None, False
    return answer if isinstance(answer, dict) and "policy_version" in answer else None, False


def ask_gateway(port: int) -> Mapping[str, Any] | None:
    """The health of the gateway on this port; None when none answers."""
    return look_at_gateway(port)[0]


def gateway(context: Context) -> Iterator[Finding]:
    """Running, of this version, with the policy of the file, all well inside; else who has its port."""
    health = context.health
    if health is None:
        if port_free(context.port):
            yield Finding(
                "gateway",
                "off",
                f"nothing listens on port {context.port}",
                "aicc serve, or: aicc launchd install",
            )
        elif (holder := held(context.home)) is not None and holder.get("port", context.port) == context.port:
            who = f" (pid {holder['pid']})" if holder else ""
            yield Finding(
                "gateway", "warn", f"port {context.port}: the gateway{who} is slow to answer: not within {LIMIT_S} s",
                "it is starting or busy: run aicc doctor again in a moment; restart it if this stays so",
            )  # fmt: skip
        else:
            why = (
                f"which is slow to answer (not within {LIMIT_S} s): another program, or the gateway of another folder"
                if context.slow
                else "and it is not the gateway"
            )
            yield Finding(
                "port", "fail", f"port {context.port} is taken{taken_by(context.port)}, {why}",
                f"stop that program, or: aicc init --yes --port {context.port + 10}",
            )  # fmt: skip
        return
    levels: dict[str, Level] = {"ok": "ok", "degraded": "warn"}
    level = levels.get(str(health.get("status")), "fail")
    yield Finding(
        "gateway",
        level,
        f"port {context.port}: {health.get('status')}",
        "" if level == "ok" else "see the lines below",
    )
    if health.get("version") != __version__:
        yield Finding(
            "gateway.version",
            "warn",
            f"runs {health.get('version')}, installed is {__version__}",
            "aicc launchd restart",
        )
    for name, text in (health.get("problems") or {}).items():
        if not name.startswith(("seam.", "selftest")):
            own = "the gateway tries it again by itself; see the lines below"
            fix = own if name == "circuits" else "correct it; the gateway looks again by itself"
            yield Finding(f"gateway.{name}", "warn", str(text), fix)
    for name, state in (health.get("dependencies") or {}).items():
        if isinstance(state, dict) and state.get("status") == "down":
            yield Finding(
                f"gateway.{name}",
                "warn",
                f"the gateway finds it down: {state.get('detail') or ''}".rstrip(": "),
                "see the lines below",
            )


def bind_address(context: Context) -> Iterator[Finding]:
    """Loopback unless the owner wrote `lan: true`."""
    lan = context.policy is not None and context.policy.lan
    if lan:
        yield Finding(
            "bind",
            "warn",
            "lan: true: machines on your network that have the key can use the gateway",
            "lan: false in policy.yaml",
        )
    elif context.health is not None and _listens_everywhere(context.port):
        yield Finding(
            "bind",
            "warn",
            "LiteLLM listens on all addresses; the gate refuses other machines",
            "start it with: aicc serve",
        )
    else:
        yield Finding("bind", "ok", "this machine only")


def _listens_everywhere(port: int) -> bool:
    tool = shutil.which("lsof")
    if tool is None:
        return False
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [tool, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fn"], capture_output=True, text=True, timeout=1.5
        )
        return any(line.startswith("n*:") for line in done.stdout.splitlines())
    return False
