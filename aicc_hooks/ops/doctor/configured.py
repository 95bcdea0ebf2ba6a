"""Checks of the user's files: config, policy, callbacks, keys, permissions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.foreign_callbacks import named_in_config, not_allowed
from aicc_hooks.ops.doctor.model import Context, Finding
from aicc_hooks.ops.env_values import is_placeholder

_OURS = ("gateway", "privacy_hook", "injection_hook", "complexity_hook")
_STRONG = 24


def files(context: Context) -> Iterator[Finding]:
    """.env, config.yaml and policy.yaml can be used."""
    for name in (".env", "config", "policy"):
        error = context.errors.get(name, "")
        if error:
            fix = {
                ".env": "correct the line, or: aicc init --repair",
                "config": "correct the field; the shipped file: aicc init shows the difference",
                "policy": "correct the field; a running gateway keeps the last good policy",
            }[name]
            yield Finding(name, "fail", error, fix)
        elif name == "config":
            assert context.config is not None
            yield Finding(name, "ok", f"{context.config_path}: {len(context.config.groups)} model groups")
        else:
            yield Finding(name, "ok", "valid")


def references(context: Context) -> Iterator[Finding]:
    """os.environ/NAME of config.yaml is set."""
    if context.config is None:
        return
    text = context.config_path.read_text(encoding="utf-8", errors="replace")
    used = set(re.findall(r"^[^#\n]*os\.environ/(\w+)", text, re.MULTILINE))
    lacking = sorted(name for name in used if not context.env.get(name))
    for name in lacking:
        yield Finding(
            f"config.{name}",
            "fail",
            f"config.yaml reads {name}, which is not set",
            f"add {name}=… to {context.home / '.env'}",
        )


def callbacks(context: Context) -> Iterator[Finding]:
    """Ours are there, no other receives unredacted prompts."""
    if context.config is None:
        return
    settings = context.config.tree.get("litellm_settings") or {}
    present = settings.get("callbacks") or []
    lacking = [f"aicc_hooks.{name}" for name in _OURS if f"aicc_hooks.{name}" not in present]
    if lacking:
        yield Finding(
            "callbacks",
            "fail",
            f"missing: {', '.join(lacking)}",
            f"add them to litellm_settings.callbacks in {context.config_path}",
        )
    others = named_in_config(context.config.tree)
    allowed = context.policy.redaction.allow_callbacks if context.policy else ()
    refused = not_allowed(others, allowed)
    if refused:
        yield Finding(
            "callbacks.other", "fail", f"{', '.join(refused)} would receive unredacted prompts",
            "remove them from litellm_settings; the gateway sends its own redacted traces",
        )  # fmt: skip
    elif others:
        yield Finding(
            "callbacks.other",
            "warn",
            f"{', '.join(others)} see unredacted text, as the policy allows",
            "redaction.allow_callbacks in policy.yaml",
        )
    elif not lacking:
        yield Finding("callbacks", "ok", "the plugin's own, no other")
    plugins = (context.config.tree.get("router_settings") or {}).get("plugins") or []
    if "aicc_hooks.routing_strategy" not in plugins:
        yield Finding(
            "routing",
            "warn",
            "router_settings.plugins lacks aicc_hooks.routing_strategy: no circuit breaker on fallbacks",
            "aicc init --upgrade",
        )


def patterns(context: Context) -> Iterator[Finding]:
    """The user's privacy patterns work, and their examples are judged as they say."""
    if context.policy is None:
        return
    detector = PrivacyDetector(context.policy.privacy)
    problems = [*detector.pattern_problems, *detector.check_examples()]
    for problem in problems:
        yield Finding("patterns", "warn", f"{problem.field}: {problem.reason}", problem.fix)
    if not problems:
        slow = detector.always_searched
        yield Finding(
            "patterns",
            "ok",
            f"{len(context.policy.privacy.pii_regexes) + len(context.policy.privacy.custom)} of your own"
            + (f"; {slow} hold no literal and are searched in every text" if slow else ""),
        )


def keys(context: Context) -> Iterator[Finding]:
    """A key that is no public default, strong where others can reach it; both keys of Langfuse or none."""
    key = context.env.get("AICC_MASTER_KEY", "")
    lan = context.policy is not None and context.policy.lan
    if not key:
        yield Finding("key", "fail", "AICC_MASTER_KEY is not set", "aicc init")
    elif is_placeholder("AICC_MASTER_KEY", key):
        yield Finding(
            "key",
            "fail",
            "AICC_MASTER_KEY is a published default",
            "aicc init --new-key --yes && aicc launchd restart",
        )
    elif len(key) < _STRONG or len(set(key)) < 10:
        yield Finding(
            "key",
            "fail" if lan else "warn",
            f"AICC_MASTER_KEY is short or simple ({len(key)} characters)",
            "aicc init --new-key --yes && aicc launchd restart",
        )
    else:
        yield Finding("key", "ok", f"{len(key)} characters")
    pair = [name for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY") if context.env.get(name)]
    if len(pair) == 1:
        yield Finding("key.langfuse", "warn", f"only {pair[0]} is set: no traces are sent", "aicc init --yes")


def permissions(context: Context) -> Iterator[Finding]:
    """Files with keys or prompts are the owner's alone."""
    if not context.home.is_dir():
        return
    private = [
        context.home,
        context.home / ".env",
        context.home / "usage.db",
        context.home / "logs",
        context.home / "backups",
    ]
    private += (
        sorted((context.home / "backups").glob("*.tar.gz"))[:50]
        if (context.home / "backups").is_dir()
        else []
    )
    open_ones = [path for path in private if _open(path)]
    for path in open_ones[:5]:
        mode = "700" if path.is_dir() else "600"
        yield Finding(
            "permissions",
            "fail" if path.name == ".env" else "warn",
            f"{path} can be read by others",
            f"chmod {mode} {shlex.quote(str(path))}",
        )
    if not open_ones:
        yield Finding("permissions", "ok", "keys, records and backups are yours alone")


def _open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
