"""Policy section `resilience`. Times are seconds, sizes bytes unless a name says otherwise."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True)

Seconds = Annotated[float, Field(gt=0, le=86_400)]
KeepAlive = str | int  # what Ollama takes: "30m", seconds, or -1 for ever


class BreakerConfig(BaseModel):
    """When an upstream is left alone, and for how long."""

    model_config = _STRICT
    enabled: bool = True
    window_s: Seconds = 30
    min_requests: Annotated[int, Field(ge=1, le=10_000)] = 10  # below this the error rate says nothing
    error_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    consecutive_failures: Annotated[int, Field(ge=1, le=1000)] = 3
    cooldown_s: Seconds = 5  # the first one; each failed trial multiplies it by `backoff`
    max_cooldown_s: Seconds = 60
    backoff: Annotated[float, Field(ge=1, le=10)] = 2
    jitter: Annotated[float, Field(ge=0, le=1)] = (
        0.2  # of the cooldown, so that two gateways do not probe at once
    )
    # A trial nobody reports back is given up after this; longer than the slowest cold start.
    trial_timeout_s: Seconds = 330
    shared: bool = True  # over Redis where there is one
    store_timeout_s: Seconds = 0.25
    sync_interval_s: Seconds = 1

    @model_validator(mode="after")
    def _ordered(self) -> BreakerConfig:
        if self.max_cooldown_s < self.cooldown_s:
            raise ValueError("max_cooldown_s must be at least cooldown_s")
        return self


class LimitsConfig(BaseModel):
    """How many requests run at once, how many may wait, and how long."""

    model_config = _STRICT
    per_model: Annotated[int, Field(ge=1, le=10_000)] = 4
    per_address: Annotated[int, Field(ge=1, le=10_000)] = 8
    models: dict[str, Annotated[int, Field(ge=1, le=10_000)]] = {}  # by model name, over per_model
    addresses: dict[
        str, Annotated[int, Field(ge=1, le=10_000)]
    ] = {}  # by URL, host:port or cloud:anthropic, over per_address
    queue_length: Annotated[int, Field(ge=0, le=100_000)] = 256  # waiting, per address
    queue_per_client: Annotated[int, Field(ge=0, le=100_000)] = 128  # of those, from one client
    max_wait_s: Seconds = 120


class ContextConfig(BaseModel):
    """Which `num_ctx` a model is asked for. Every change of it reloads the model, so there are few."""

    model_config = _STRICT
    buckets: tuple[Annotated[int, Field(ge=256, le=4_194_304)], ...] = (8192, 16384, 32768, 65536, 131072)
    models: dict[
        str, tuple[Annotated[int, Field(ge=256, le=4_194_304)], ...]
    ] = {}  # other buckets for a model
    memory_budget_gb: Annotated[float, Field(gt=0, le=4096)] = 8  # for the KV cache of one model
    reply_tokens: Annotated[int, Field(ge=16, le=1_000_000)] = 1024  # kept free for the answer, at most
    safety: Annotated[float, Field(ge=1, le=3)] = 1.15  # an estimate is not the model's own tokenizer

    @model_validator(mode="after")
    def _rising(self) -> ContextConfig:
        for buckets in (self.buckets, *self.models.values()):
            if not buckets or any(a >= b for a, b in pairwise(buckets)):
                raise ValueError("buckets must be a rising, non-empty list")
        return self

    def buckets_for(self, model: str) -> tuple[int, ...]:
        """The model's own buckets, else the common ones."""
        return self.models.get(model, self.buckets)


class WarmUp(BaseModel):
    """A model loaded before anybody asks, and kept."""

    model_config = _STRICT
    model: str  # the upstream's name: qwen2.5:14b
    keep_alive: KeepAlive = "30m"
    at_start: bool = True
    every_s: Seconds | None = None  # repeat, e.g. 1500 to outlive a keep_alive of 30m; None: never


class ColdStartConfig(BaseModel):
    """What happens while Ollama loads a model (10-30 s for 14B)."""

    model_config = _STRICT
    warm_up: tuple[WarmUp, ...] = ()
    keep_alive: dict[str, KeepAlive] = {}  # by model name, sent with each request
    default_keep_alive: KeepAlive | None = None  # None: Ollama's own (5m)
    sse_keepalive_s: Annotated[float, Field(ge=0, le=60)] = 0  # comment to waiting streams; 0: off
    prefer_loaded: bool = (
        True  # `auto` takes a loaded model of the tier when the first choice would have to load
    )


class HighQpsConfig(BaseModel):
    """Above this rate `auto` prefers the small model."""

    model_config = _STRICT
    enabled: bool = False
    requests_per_s: Annotated[float, Field(gt=0, le=100_000)] = 5
    window_s: Seconds = 10
    model: str = "llama-fast"


class HealthConfig(BaseModel):
    """Background probes. None of them calls a model."""

    model_config = _STRICT
    interval_s: Seconds = 10
    timeout_s: Seconds = 2
    max_backoff_s: Seconds = 120
    disk_free_mb: Annotated[int, Field(ge=0)] = 500  # less is `degraded`
    spool_backlog: Annotated[int, Field(ge=1)] = 10_000  # more rows waiting is `degraded`


class EmbeddingsConfig(BaseModel):
    """Embedding models load in seconds, so a server that does not answer is told from one that loads."""

    model_config = _STRICT
    timeout_s: Seconds = 120  # from its place in the queue to the answer
    # A text longer than the model reads. Ollama cuts it without a word; `cut` does so and tells, `refuse` is a 400.
    too_long: Literal["cut", "refuse"] = "cut"


class ResilienceConfig(BaseModel):
    """Everything that keeps the gateway answering."""

    model_config = _STRICT
    breaker: BreakerConfig = BreakerConfig()
    limits: LimitsConfig = LimitsConfig()
    context: ContextConfig = ContextConfig()
    cold_start: ColdStartConfig = ColdStartConfig()
    embeddings: EmbeddingsConfig = EmbeddingsConfig()
    high_qps: HighQpsConfig = HighQpsConfig()
    health: HealthConfig = HealthConfig()
