"""Does LiteLLM still have the seams we stand on? Run once per process, before the first request is served."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import litellm

from aicc_hooks.adapter import wire_door
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.foreign_callbacks import unexpected
from aicc_hooks.litellm_releases import MALWARE

# Handed to hooks in place of a request; an object, so that nothing a client sends can be it.
PROBE: Final = object()
PROBE_KEY: Final = "aicc_selftest"


class ProbeReached(Exception):
    """Raised by our deployment hook when it meets the probe: proves that it runs and that raising stops a call."""


@dataclass(frozen=True, slots=True)
class Seam:
    """One internal of LiteLLM. `fatal`: privacy rests on it, so nothing is served without it."""

    name: str
    fatal: bool
    check: Callable[[Runtime], Awaitable[str]]  # "" when fine, else what is wrong


async def run(runtime: Runtime) -> dict[str, str]:
    """Check every seam; fills `runtime.problems` and `runtime.fatal`. Returns the problems."""
    problems: dict[str, str] = {}
    for seam in SEAMS:
        try:
            wrong = await seam.check(runtime)
        except Exception as error:
            wrong = f"the check itself failed ({type(error).__name__})"
        if wrong:
            problems[f"seam.{seam.name}"] = wrong
            if seam.fatal and not runtime.fatal:
                runtime.fatal = f"{seam.name}: {wrong} (LiteLLM {version('litellm')})"
    for name in [name for name in runtime.problems if name.startswith("seam.")]:
        del runtime.problems[name]
    runtime.problems.update(problems)
    return problems


async def _release(runtime: Runtime) -> str:
    found = version("litellm")
    return f"{found} is a malicious release; uninstall it and rotate your keys" if found in MALWARE else ""


async def _gate_outermost(runtime: Runtime) -> str:
    import litellm.proxy.proxy_server as server

    from aicc_hooks.adapter.gate import Gate

    if not isinstance(server.app.middleware_stack, Gate):
        return "the gate is not the outermost layer of the running app"
    return ""


async def _deployment_hook_stops(runtime: Runtime) -> str:
    if not runtime.active.privacy:
        return ""
    try:
        await litellm.utils.async_pre_call_deployment_hook(
            {PROBE_KEY: PROBE, "model": "probe"}, "acompletion"
        )
    except ProbeReached:
        return ""
    return (
        "LiteLLM does not run async_pre_call_deployment_hook of our privacy hook, or swallows what it raises"
    )


async def _wire_door(runtime: Runtime) -> str:
    """Installing fails at the start when httpx moved; here: nobody took the door out again."""
    if not wire_door.in_place():
        return "httpx clients do not have our door, so a redirect or a proxy could take a private request elsewhere"
    return ""


async def _silent(runtime: Runtime) -> str:
    """`set_verbose` prints prompts and answers past every log filter (1.106.2, utils.py:555): it is switched off."""
    if not litellm.set_verbose:
        return ""
    litellm.set_verbose = False
    return "litellm_settings.set_verbose would print prompts and answers; it was switched off, remove it"


async def _deployment_hook_called(runtime: Runtime) -> str:
    source = inspect.getsource(litellm.utils.client)
    return (
        ""
        if "async_pre_call_deployment_hook(" in source
        else "LiteLLM's call wrapper no longer calls the deployment hook"
    )


async def _pre_call_own(runtime: Runtime) -> str:
    ours = [
        callback
        for callback in litellm.callbacks
        if getattr(callback, "aicc_part", "") in ("privacy", "injection", "complexity")
    ]
    lacking = [type(c).__name__ for c in ours if "async_pre_call_hook" not in vars(type(c))]
    return (
        f"{', '.join(lacking)} inherits async_pre_call_hook, which LiteLLM does not call" if lacking else ""
    )


async def _hooks_present(runtime: Runtime) -> str:
    active = runtime.active
    off = [name for name in ("privacy", "injection", "complexity") if not getattr(active, name)]
    return (
        f"not in litellm_settings.callbacks: {', '.join('aicc_hooks.' + n + '_hook' for n in off)}"
        if off
        else ""
    )


async def _globals(runtime: Runtime) -> str:
    import litellm.proxy.proxy_server as server

    lacking = [
        name
        for name in ("app", "llm_router", "master_key", "user_config_file_path")
        if not hasattr(server, name)
    ]
    return f"proxy_server lacks {', '.join(lacking)}" if lacking else ""


async def _no_global_base(runtime: Runtime) -> str:
    base = getattr(litellm, "api_base", None)
    return (
        "litellm_settings.api_base overrides the address of every model, so locality cannot be checked; remove it"
        if base
        else ""
    )


async def _proxy_exception(runtime: Runtime) -> str:
    from litellm.proxy._types import ProxyException

    lacking = {"message", "type", "param", "code", "headers"} - set(
        inspect.signature(ProxyException.__init__).parameters
    )
    return f"ProxyException lacks {', '.join(sorted(lacking))}" if lacking else ""


async def _error_handlers(runtime: Runtime) -> str:
    """Every error passes LiteLLM's look for a database's; what it cannot import there makes a 500 of all of them."""
    from litellm.proxy.db.exception_handler import PrismaDBExceptionHandler

    try:
        PrismaDBExceptionHandler.is_database_transport_error(Exception("probe"))
    except Exception as error:
        return f"LiteLLM's error handlers fail themselves ({type(error).__name__}): its errors become a plain 500"
    return ""


async def _router_seams(runtime: Runtime) -> str:
    router = runtime.router()
    if router is None:
        return "LiteLLM has no router; config.yaml needs a model_list"
    lacking = [
        name for name in ("async_callback_filter_deployments", "routing_plugins") if not hasattr(router, name)
    ]
    return f"the router lacks {', '.join(lacking)}" if lacking else ""


_LISTS: Final = ("callbacks", "success_callback", "failure_callback", "_async_success_callback", "_async_failure_callback",
                 "input_callback", "_async_input_callback", "service_callback")  # fmt: skip
# LiteLLM's own bookkeeping (rate limits, cooldowns), which writes no text anywhere.
_HARMLESS: Final = (
    "aicc_hooks.",
    "litellm.proxy.hooks.",
    "litellm.proxy.",
    "litellm.router",
    "litellm.caching.",
    "litellm._service_logger",
)


async def _foreign_loggers(runtime: Runtime) -> str:
    """Loggers that came in by another way than config.yaml (environment, another plugin)."""
    current = runtime.store.current
    allowed = current.policy.redaction.allow_callbacks if current else ()
    labels = [
        callback if isinstance(callback, str) else _name_of(callback)
        for name in _LISTS
        for callback in getattr(litellm, name, None) or []
    ]
    foreign = [label for label in labels if not label.startswith(_HARMLESS)]
    found = unexpected(foreign, allowed, _classes())
    return (
        f"loggers that receive unredacted prompts: {', '.join(found)} (redaction.allow_callbacks does not name them)"
        if found
        else ""
    )


def _classes() -> dict[str, str]:
    from litellm.litellm_core_utils.custom_logger_registry import CustomLoggerRegistry

    named = CustomLoggerRegistry.CALLBACK_CLASS_STR_TO_CLASS_TYPE
    return {name: f"{cls.__module__}.{cls.__qualname__}" for name, cls in named.items()}


def _name_of(callback: object) -> str:
    """`module.Class`, and `guardrails.NAME` as config.yaml has it: all guardrails share one folder of LiteLLM."""
    from litellm.integrations.custom_guardrail import CustomGuardrail

    if isinstance(callback, CustomGuardrail):
        return f"guardrails.{callback.guardrail_name}"
    owner: Any = getattr(callback, "__self__", callback)
    named = owner if hasattr(owner, "__qualname__") else type(owner)
    return f"{named.__module__}.{named.__qualname__}"


SEAMS: Final = (
    Seam("release", True, _release),
    Seam("gate", True, _gate_outermost),
    Seam("globals", True, _globals),
    Seam("deployment_hook", True, _deployment_hook_stops),
    Seam("deployment_hook_wired", True, _deployment_hook_called),
    Seam("pre_call_hook", True, _pre_call_own),
    Seam("api_base", True, _no_global_base),
    Seam("wire", True, _wire_door),
    Seam("set_verbose", False, _silent),
    Seam("foreign_loggers", True, _foreign_loggers),
    Seam("hooks", False, _hooks_present),
    Seam("router", False, _router_seams),
    Seam("proxy_exception", False, _proxy_exception),
    Seam("error_handlers", False, _error_handlers),
)
