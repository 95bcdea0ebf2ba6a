"""What the tiers need of a semantic tier: the seam another one may be put behind."""

from __future__ import annotations

from typing import Any, Protocol

from aicc_hooks.cache.request import CacheRequest


class Proposal(Protocol):
    """One answer that a similar question got. `key` is its exact key."""

    key: str
    similarity: float
    reason: str


class Search(Protocol):
    """A semantic lookup under way."""

    async def proposals(self) -> list[Any]: ...
    def cancel(self) -> None: ...


class Semantic(Protocol):
    """What the tiers need of the semantic tier (`aicc_hooks.cache.semantic.SemanticTier`)."""

    def prepare(self, request: CacheRequest) -> None: ...
    def start(self, request: CacheRequest, key: str) -> Search | None: ...
    async def add(self, request: CacheRequest, key: str, ttl: float) -> None: ...
    def forget(self, key: str) -> None: ...
    async def sync(self) -> None: ...
    async def clear(self) -> int: ...
    def forget_all(self) -> None: ...
    def stats(self) -> dict[str, Any]: ...
