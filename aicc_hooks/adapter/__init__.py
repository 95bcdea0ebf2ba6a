"""The only folder that imports LiteLLM. Instances are made on first access."""

from __future__ import annotations

from functools import cache
from typing import Any

_CLASSES = {
    "ComplexityHook": "hooks",
    "Gateway": "attempts",
    "InjectionHook": "hooks",
    "PrivacyHook": "hooks",
    "RoutingStrategy": "strategy",
}
_INSTANCES = (
    "complexity_hook",
    "demo_model",
    "gateway",
    "injection_hook",
    "privacy_hook",
    "routing_strategy",
)


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from importlib import import_module

        return getattr(import_module(f"aicc_hooks.adapter.{_CLASSES[name]}"), name)
    if name in _INSTANCES:
        return _instance(name)
    raise AttributeError(f"module 'aicc_hooks.adapter' has no attribute {name!r}")


@cache
def _instance(name: str) -> Any:
    from aicc_hooks.adapter.compat import (
        ensure_prisma,
        keep_all_stops,
        let_streams_fall_back,
        translate_messages_by_chat,
    )

    ensure_prisma()
    if name == "demo_model":
        from aicc_hooks.adapter.demo import DemoModel

        return DemoModel()
    if name == "routing_strategy":
        from aicc_hooks.adapter.strategy import RoutingStrategy

        return RoutingStrategy()
    from aicc_hooks.adapter import attempts, hooks, mount

    made = {
        "complexity_hook": hooks.ComplexityHook,
        "gateway": attempts.Gateway,
        "injection_hook": hooks.InjectionHook,
        "privacy_hook": hooks.PrivacyHook,
    }[name]()
    if name == "gateway":
        translate_messages_by_chat()
        keep_all_stops()
        let_streams_fall_back()
        mount.install(made.runtime)
    return made
