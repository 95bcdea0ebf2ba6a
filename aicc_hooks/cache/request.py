"""What the cache is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aicc_hooks.cache.control import CacheControl

CacheTier = Literal["memory", "redis", "semantic"]


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """One request, after routing. `body` holds the parameters as they would go upstream."""

    group: str  # model group after routing
    body: Mapping[str, Any]
    endpoint: str = "chat"  # chat | completion | responses | messages | embedding | rerank
    variant: str = ""
    private: bool = False
    flagged: bool = False
    key_id: str = ""  # hash or id of the API key, never the key
    user: str = ""
    control: CacheControl = field(default_factory=CacheControl)
    semantic: bool = True  # False: the client refused semantic answers (`x-aicc-semantic: off`)
    # Keys made of this request: a body of megabytes is hashed once. `replace` starts with an empty one.
    memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CacheHit:
    """A stored answer. `age` in seconds; `similarity` only for the semantic tier."""

    value: bytes
    tier: CacheTier
    age: float
    meta: Mapping[str, Any]
    similarity: float | None = None
    reason: str = ""  # what the guard said

    @property
    def label(self) -> str:
        """The value of `x-aicc-cache`."""
        return "semantic" if self.tier == "semantic" else "exact"
