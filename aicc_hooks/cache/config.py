"""Policy section `cache`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class CacheConfig(BaseModel):
    """What is kept, for whom and how long. The calibrated threshold is measured, not configured."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool = True
    ttl: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3600  # seconds
    ttl_jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.1  # entries made together must not expire together
    scope: Literal["machine", "key", "user"] = "machine"
    max_memory_bytes: Annotated[int, Field(ge=0)] = 64 * MIB
    max_entry_bytes: Annotated[int, Field(ge=1024)] = 4 * MIB
    max_redis_bytes: Annotated[int, Field(ge=0)] = 512 * MIB
    temperature_limit: Annotated[float, Field(ge=0, le=2)] = 1.0  # above it only on explicit request
    redis_timeout_ms: Annotated[float, Field(ge=1, le=50)] = 40
    semantic: Literal["auto", "off", "on"] = "auto"  # auto: on once calibrated for the embedder
    semantic_embedder: str = "embed-local"
    false_hit_bound: Annotated[float, Field(gt=0, le=0.1)] = 0.005
    embed_timeout_ms: Annotated[int, Field(ge=1, le=5000)] = 150
    semantic_entries: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    semantic_max_ask_chars: Annotated[int, Field(ge=16, le=20_000)] = 2_000
