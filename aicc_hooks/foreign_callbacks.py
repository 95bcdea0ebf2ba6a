"""LiteLLM callbacks that are not ours: each would receive raw prompts, so each must be allowed by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_SETTINGS: Final = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "service_callback",
    "audit_log_callbacks",
    "input_callback",
)


def named_in_config(tree: Mapping[str, Any]) -> list[str]:
    """Callbacks of a parsed config.yaml that are not this package's, in order."""
    settings = tree.get("litellm_settings") or {}
    found: dict[str, None] = {}
    for key in _SETTINGS:
        value = settings.get(key) or []
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and not name.startswith("aicc_hooks."):
                found[name] = None
    return list(found)


def not_allowed(names: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Names the policy does not list in redaction.allow_callbacks."""
    listed = set(allowed)
    return [name for name in names if name not in listed]


def unexpected(loaded: Iterable[str], allowed: Iterable[str], classes: Mapping[str, str]) -> list[str]:
    """Of the loggers LiteLLM runs (short names, or `module.Class` of objects), those that `allowed` does not name.

    `classes`: the class behind a short name of LiteLLM. A dotted name of config.yaml is an object of that module.
    """
    exact = {known for name in allowed for known in (name, classes.get(name, name))}
    modules = tuple(name.rpartition(".")[0] + "." for name in allowed if "." in name)
    return [label for label in dict.fromkeys(loaded) if label not in exact and not label.startswith(modules)]


def refusal(names: Iterable[str]) -> str:
    """Why the gateway does not start, and the two ways out."""
    shown = ", ".join(names)
    return (
        f"config.yaml loads LiteLLM callbacks that receive unredacted prompts: {shown}. Remove them (the gateway sends its own redacted "
        f"traces), or list them in policy.yaml under redaction.allow_callbacks if they may see everything."
    )
