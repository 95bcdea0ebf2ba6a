"""Tools that are no functions: a provider's own (`web_search`, `code_interpreter`, `mcp` …) and free-form ones.

A model server on this machine runs none of them. LiteLLM drops some on the way and hands Ollama the others as functions
without name and body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aicc_hooks.payload.strip import header_safe

# LiteLLM makes functions of these, and of their calls what the API of the client calls them.
_TRANSLATED: Final = {"chat": (), "responses": ("custom", "namespace"), "messages": ("custom",)}


def only_functions(
    endpoint: str, tools: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The tools a model of functions can be shown, and the names of the others: `tools[0].web_search`."""
    kept: list[Mapping[str, Any]] = []
    gone: list[str] = []
    for number, tool in enumerate(tools):
        kind = tool.get("type")
        if _is_function(tool, kind) or kind in _TRANSLATED.get(endpoint, ()):
            kept.append(tool)
        else:
            gone.append(f"tools[{number}].{header_safe(str(kind or 'unknown'))}")
    return kept, gone


def _is_function(tool: Mapping[str, Any], kind: Any) -> bool:
    """Anthropic's functions have a schema and, mostly, no type; chat's hold a function."""
    return kind == "function" or (
        kind is None and any(tool.get(name) for name in ("function", "input_schema", "name"))
    )
