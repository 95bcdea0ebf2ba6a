"""Who is told: the log, a macOS notification, a webhook. Each is bounded in time and says whether it worked."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from aicc_hooks.record.alerts.config import DEFAULTS, AlertsConfig
from aicc_hooks.record.alerts.store import Event

log = logging.getLogger("aicc.alerts")

_OSASCRIPT_S = 5.0
# Values are arguments, never part of the script: a model's name cannot become AppleScript.
_SCRIPT = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")


# Told without a rule: by the nightly work, and by `aicc alerts test`.
_WITHOUT_RULE = {"maintenance": "A job of the nightly work failed"}


class Sink(Protocol):
    """Tells somebody; "" when it worked, else why not, without addresses or tokens."""

    def __call__(self, event: Event) -> str: ...


def words(event: Event) -> str:
    """One sentence about an event."""
    rule = DEFAULTS.get(event.rule)  # type: ignore[call-overload]
    about = f"{event.rule}{f' ({event.subject})' if event.subject else ''}"
    what = rule.what if rule else _WITHOUT_RULE.get(event.rule, "this is only a test")
    lead = {"fired": "ALERT", "reminder": "STILL", "recovered": "OK"}.get(event.kind, "TEST")
    if event.kind == "recovered":
        return f"{lead} {about}: over; {event.detail}"
    return f"{lead} {about}: {what}; {event.detail}"


def payload(event: Event, config: AlertsConfig) -> dict[str, Any]:
    """What a webhook gets. `text` is what chat services show."""
    rule = config.rule(event.rule) if event.rule in DEFAULTS else None
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.at))
    return {
        "source": "aicc",
        "id": event.seq,
        "time": when,
        "status": event.kind,
        "severity": rule.severity if rule else "warning" if event.rule in _WITHOUT_RULE else "info",
        "rule": event.rule,
        "subject": event.subject,
        "value": event.value,
        "threshold": rule.threshold if rule else None,
        "unit": rule.unit if rule else "",
        "detail": event.detail,
        "help": rule.help if rule else "",
        "text": words(event),
    }


def to_log(event: Event) -> str:
    """A WARNING, or INFO for a recovery."""
    log.log(logging.INFO if event.kind in ("recovered", "test") else logging.WARNING, "%s", words(event))
    return ""


def macos(run: Callable[..., Any] = subprocess.run) -> Sink:
    """Notification Center, by osascript."""

    def tell(event: Event) -> str:
        command = ["osascript", *(part for line in _SCRIPT for part in ("-e", line))]
        try:
            done = run(
                [*command, "AI Command Center", words(event)], capture_output=True, timeout=_OSASCRIPT_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"osascript: {type(error).__name__}"
        return "" if done.returncode == 0 else f"osascript ended with {done.returncode}"

    return tell


def webhook(config: AlertsConfig, url: str, *, transport: httpx.BaseTransport | None = None) -> Sink:
    """POST of `payload` as JSON. No redirect is followed and no answer is read."""

    def tell(event: Event) -> str:
        deadline = config.webhook.timeout_s
        try:
            with httpx.Client(
                timeout=deadline, follow_redirects=False, trust_env=False, transport=transport
            ) as client, client.stream("POST", url, json=payload(event, config)) as answer:  # fmt: skip
                code = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return f"webhook: {type(error).__name__}"
        return "" if 200 <= code < 300 else f"webhook answered {code}"

    return tell


def build(config: AlertsConfig, env: Mapping[str, str], platform: str = sys.platform) -> dict[str, Sink]:
    """The sinks in force, by name."""
    sinks: dict[str, Sink] = {}
    if config.log:
        sinks["log"] = to_log
    if config.macos == "auto" and platform == "darwin":
        sinks["macos"] = macos()
    if url := config.webhook.url or env.get("AICC_ALERT_WEBHOOK", "").strip():
        sinks["webhook"] = webhook(config, url)
    return sinks
