"""What differs between LiteLLM releases, and stand-ins for what it forgets to install."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def ensure_prisma() -> bool:
    """Put a stub `prisma` in place when the package is absent. True when the stub was needed.

    LiteLLM's exception handlers `import prisma`, from 1.110 on `prisma.engine.errors` too, though `litellm[proxy]` does not
    install it, which turns every error into a plain-text 500 (1.106.2 and 1.110.2, proxy/db/exception_handler.py).
    """
    if "prisma" in sys.modules or importlib.util.find_spec("prisma") is not None:
        return False

    class PrismaError(Exception):
        """Never raised: there is no database."""

    for path in ("prisma", "prisma.errors", "prisma.engine", "prisma.engine.errors"):
        module = ModuleType(path)
        module.__path__ = []  # a package: other submodules are looked for, and told missing by their name
        module.PrismaError = PrismaError  # type: ignore[attr-defined]
        if path.endswith(".errors"):
            module.__getattr__ = _classes(module, PrismaError)  # type: ignore[method-assign]
        above, _, name = path.rpartition(".")
        if above:
            setattr(sys.modules[above], name, module)
        sys.modules[path] = module
    sys.modules["prisma"].__aicc_stub__ = True  # type: ignore[attr-defined]
    return True


def _classes(module: ModuleType, base: type[Exception]) -> Callable[[str], type[Exception]]:
    """Every name LiteLLM may look up must be an exception class, or its `except` clause breaks."""

    def missing(name: str) -> type[Exception]:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (base,), {})
        setattr(module, name, made)
        return made

    return missing


def translate_messages_by_chat() -> None:
    """Have /v1/messages reach `openai/` models as a chat call, as it does all others.

    LiteLLM 1.106.2 makes a Responses call of it, which servers with chat alone do not have; translated on to a chat
    call, the whole answer arrives with `content: []`. config.yaml may set it otherwise in `litellm_settings`.
    """
    import litellm

    litellm.use_chat_completions_url_for_anthropic_messages = True


def keep_all_stops() -> None:
    """Have every stop sequence reach the model: LiteLLM passes on the first four of a list without a word.

    Ollama, llama.cpp and Anthropic take more; OpenAI says itself that it does not. config.yaml may set it otherwise.
    """
    import litellm

    litellm.disable_stop_sequence_limit = True


def let_streams_fall_back() -> None:
    """Have a stream that broke before its first word reach the fallbacks while `router_settings.plugins` names a strategy.

    LiteLLM 1.110.2 starts that walk without `pre_routes` (router_rust/core.py, `_recovery_call`), takes it for a call of its
    sync side and refuses: "the routing-plugin pipeline never runs". Without that core, or once it is mended, nothing changes.
    """
    try:
        from litellm.router_rust.core import RustCore
    except ImportError:
        return
    full: Callable[..., dict[str, Any]] | None = getattr(RustCore, "_outcome_fields", None)
    if full is None or hasattr(full, "aicc"):
        return

    @functools.wraps(full)
    def outcome_fields(self: Any, plan: Any, request: Any) -> dict[str, Any]:
        return {**full(self, plan, request), **({} if getattr(plan, "sync", False) else {"pre_routes": True})}

    outcome_fields.aicc = True  # type: ignore[attr-defined]
    RustCore._outcome_fields = outcome_fields
