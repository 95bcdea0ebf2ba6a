"""What differs between LiteLLM releases, and stand-ins for what it forgets to install."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


def ensure_prisma() -> bool:
    """Put a stub `prisma` in place when the package is absent. True when the stub was needed.

    LiteLLM's exception handlers `import prisma` though `litellm[proxy]` does not install it, which
    turns every error into a plain-text 500 (LiteLLM 1.106.2, proxy/db/exception_handler.py).
    """
    if "prisma" in sys.modules or importlib.util.find_spec("prisma") is not None:
        return False
    prisma, errors = ModuleType("prisma"), ModuleType("prisma.errors")

    class PrismaError(Exception):
        """Never raised: there is no database."""

    def missing(name: str) -> type[Exception]:
        # Every name LiteLLM may look up must be an exception class, or its `except` clause breaks.
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (PrismaError,), {})
        setattr(errors, name, made)
        return made

    errors.PrismaError = PrismaError  # type: ignore[attr-defined]
    errors.__getattr__ = missing  # type: ignore[method-assign]
    prisma.errors = errors  # type: ignore[attr-defined]
    prisma.PrismaError = PrismaError  # type: ignore[attr-defined]
    prisma.__aicc_stub__ = True  # type: ignore[attr-defined]
    sys.modules["prisma"] = prisma
    sys.modules["prisma.errors"] = errors
    return True


def translate_messages_by_chat() -> None:
    """Have /v1/messages reach `openai/` models as a chat call, as it does all others.

    LiteLLM 1.106.2 makes a Responses call of it, which servers with chat alone do not have; translated on to a chat
    call, the whole answer arrives with `content: []`. config.yaml may set it otherwise in `litellm_settings`.
    """
    import litellm

    litellm.use_chat_completions_url_for_anthropic_messages = True
