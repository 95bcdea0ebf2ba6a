"""LiteLLM callbacks and guardrails that are not ours: each would receive raw prompts, so each must be allowed by name."""

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
_OF_MODELS: Final = ("callbacks", "success_callback", "failure_callback", "guardrails")


def named_in_config(tree: Mapping[str, Any]) -> list[str]:
    """Callbacks and guardrails (`guardrails.NAME`) of a parsed config.yaml that are not this package's, in order."""
    settings = _mapping(tree.get("litellm_settings"))
    names = [name for key in _SETTINGS for name in _listed(settings.get(key))]
    for model in _listed(tree.get("model_list")):
        params = _mapping(_mapping(model).get("litellm_params"))
        names += [name for key in _OF_MODELS for name in _listed(params.get(key))]
    for guardrail in _listed(tree.get("guardrails")):
        names.append(f"guardrails.{_mapping(guardrail).get('guardrail_name')}")
    for old in _listed(settings.get("guardrails")):  # a list of {name: settings}
        names += [f"guardrails.{name}" for name in _mapping(old)]
    ours = "aicc_hooks."
    return list(dict.fromkeys(n for n in names if isinstance(n, str) and not n.startswith(ours)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def not_allowed(names: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Names the policy does not list in redaction.allow_callbacks."""
    listed = set(allowed)
    return [name for name in names if name not in listed]


def unexpected(loaded: Iterable[str], allowed: Iterable[str], classes: Mapping[str, str]) -> list[str]:
    """Of the loggers LiteLLM runs (short names, or `module.Class` of objects), those that `allowed` does not name.

    `classes`: the class behind a short name of LiteLLM. A dotted name of config.yaml is an object of that module.
    """
    exact = {known for name in allowed for known in (name, classes.get(name, name))}
    modules = tuple(
        n.rpartition(".")[0] + "." for n in allowed if "." in n and not n.startswith("guardrails.")
    )
    return [label for label in dict.fromkeys(loaded) if label not in exact and not label.startswith(modules)]


def refusal(names: Iterable[str]) -> str:
    """Why the gateway does not start, and the two ways out."""
    shown = ", ".join(names)
    return (
        f"config.yaml loads LiteLLM callbacks or guardrails that receive unredacted prompts: {shown}. Remove them (the gateway sends its own redacted "
        f"traces), or list them in policy.yaml under redaction.allow_callbacks if they may see everything."
    )
