"""What Ollama tells of its models, reduced, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """`/api/show`, reduced. Zero and empty mean: not stated."""

    name: str
    context_length: int = 0
    capabilities: frozenset[str] = field(default_factory=frozenset)
    kv_bytes_per_token: int = 0  # f16 cache
    family: str = ""
    remote: bool = False  # another machine runs it (`remote_host`: ollama.com)

    @property
    def tools(self) -> bool:
        """Calls tools."""
        return "tools" in self.capabilities

    @property
    def vision(self) -> bool:
        """Sees images."""
        return "vision" in self.capabilities

    def as_model_info(self) -> dict[str, bool]:
        """Tools and images under the names of config.yaml's `model_info`; {} when Ollama names no capabilities.

        The context is not among them: what a model may be asked for here also depends on the memory budget.
        """
        if not self.capabilities:
            return {}
        return {"supports_function_calling": self.tools, "supports_vision": self.vision}


@dataclass(frozen=True, slots=True)
class Loaded:
    """One row of `/api/ps`."""

    name: str
    size: int = 0
    context_length: int = 0
    expires_at: str = ""


def same_model(a: str, b: str) -> bool:
    """Ollama's names: no tag means `:latest`."""
    return full_name(a) == full_name(b)


def full_name(name: str) -> str:
    """`llama3.2` -> `llama3.2:latest`; a provider prefix (`ollama_chat/`) is dropped."""
    for prefix in ("ollama_chat/", "ollama/"):
        name = name.removeprefix(prefix)
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def parse_show(name: str, answer: Mapping[str, Any]) -> ModelInfo:
    """Context length, capabilities and KV bytes per token out of `/api/show`."""
    raw = answer.get("model_info")
    info: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    arch = str(info.get("general.architecture", ""))

    def number(key: str) -> int:
        value = info.get(f"{arch}.{key}")
        return max((whole(v) for v in value), default=0) if isinstance(value, list) else whole(value)

    heads = number("attention.head_count")
    kv_heads = number("attention.head_count_kv") or heads
    key_length = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    value_length = number("attention.value_length") or key_length
    capabilities = answer.get("capabilities")
    details = answer.get("details")
    return ModelInfo(
        name=full_name(name),
        context_length=number("context_length"),
        capabilities=frozenset(map(str, capabilities)) if isinstance(capabilities, list) else frozenset(),
        kv_bytes_per_token=number("block_count") * kv_heads * (key_length + value_length) * 2,
        family=str(details.get("family", "")) if isinstance(details, Mapping) else "",
        remote=runs_elsewhere(answer),
    )


def runs_elsewhere(row: Mapping[str, Any]) -> bool:
    """Whether an answer of `/api/show`, or a row of `/api/tags`, is of a model that this Ollama passes on."""
    return bool(row.get("remote_host") or row.get("remote_model"))


def whole(value: object) -> int:
    """A number of an answer; 0 where it is none."""
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0
