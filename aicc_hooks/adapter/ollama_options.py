"""The penalties as Ollama's options know them.

LiteLLM gives `frequency_penalty` to Ollama as `repeat_penalty`: a factor by which logits are divided, of which 1 is the
neutral value and not OpenAI's 0. `presence_penalty` it drops. Ollama takes both under OpenAI's names.
"""

from __future__ import annotations

import functools
from typing import Any

_PENALTIES = ("frequency_penalty", "presence_penalty")


def install() -> str:
    """Once a process. Returns what is wrong with LiteLLM, or ""."""
    try:
        from litellm import OllamaChatConfig
    except ImportError:
        return "OllamaChatConfig has moved"
    if hasattr(OllamaChatConfig, "_aicc"):
        return ""
    for name in ("get_supported_openai_params", "map_openai_params"):
        if not hasattr(OllamaChatConfig, name):
            return f"OllamaChatConfig lacks {name}"
    known, given = OllamaChatConfig.get_supported_openai_params, OllamaChatConfig.map_openai_params

    @functools.wraps(known)
    def supported(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        return [*known(self, *args, **kwargs), "presence_penalty"]

    @functools.wraps(given)
    def mapped(
        self: Any,
        non_default_params: dict[str, Any],
        optional_params: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        penalties = {
            name: value for name in _PENALTIES if (value := non_default_params.get(name)) is not None
        }
        rest = {name: value for name, value in non_default_params.items() if name not in _PENALTIES}
        made = given(self, rest, optional_params, *args, **kwargs)
        # The caller goes on with what the mapping took out of its parameters.
        for name in [name for name in non_default_params if name not in rest]:
            del non_default_params[name]
        made.update(penalties)
        return made

    OllamaChatConfig.get_supported_openai_params = supported
    OllamaChatConfig.map_openai_params = mapped
    OllamaChatConfig._aicc = True
    return ""
