"""AI Command Center: a LiteLLM plugin that turns the proxy into a private AI gateway.

config.yaml refers to the instances below; they are made on first access, so that importing the
package (the `aicc` command does) does not load LiteLLM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aicc_hooks.adapter import (
        ComplexityHook,
        Gateway,
        InjectionHook,
        PrivacyHook,
        RoutingStrategy,
        complexity_hook,
        demo_model,
        gateway,
        injection_hook,
        privacy_hook,
        routing_strategy,
    )

__all__ = [
    "ComplexityHook",
    "Gateway",
    "InjectionHook",
    "PrivacyHook",
    "RoutingStrategy",
    "complexity_hook",
    "demo_model",
    "gateway",
    "injection_hook",
    "privacy_hook",
    "routing_strategy",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        from aicc_hooks import adapter

        return getattr(adapter, name)
    raise AttributeError(f"module 'aicc_hooks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
