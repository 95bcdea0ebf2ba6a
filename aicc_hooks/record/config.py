"""Policy sections `redaction`, `record` and `langfuse`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aicc_hooks.errors import GatewayConfigError

# A hosted default would send traces off this machine because of one forgotten line.
DEFAULT_HOST = "http://localhost:3001"


class RedactionConfig(BaseModel):
    """What of a request's text may be written. `none` needs `confirm_none: true` beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mode: Literal["full", "findings", "none"] = "findings"
    confirm_none: bool = False
    correlate: bool = False  # [TYPE:ab12] instead of [TYPE]: the same value gives the same hash
    allow_callbacks: tuple[str, ...] = ()  # LiteLLM callbacks that may receive raw text
    max_chars: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000  # kept of each text

    @model_validator(mode="after")
    def _none_is_confirmed(self) -> Self:
        if self.mode == "none" and not self.confirm_none:
            raise ValueError(
                "redaction.mode: none records prompts and answers as they are; "
                "set redaction.confirm_none: true beside it, or use `findings`"
            )
        return self


class LogConfig(BaseModel):
    """Rotation of logs/gateway.jsonl."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool = True
    max_bytes: Annotated[int, Field(ge=1024)] = 20 * 1024 * 1024
    max_age_hours: Annotated[float, Field(gt=0)] = 24.0
    keep: Annotated[int, Field(ge=0, le=1000)] = 30  # rotated files; older ones are deleted


class RecordConfig(BaseModel):
    """The spool: how long, how much, how fast."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    retention_days: Annotated[float, Field(gt=0, le=3650)] = 30.0
    max_bytes: Annotated[int, Field(ge=1024 * 1024)] = 2 * 1024**3
    queue_size: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    commit_interval_ms: Annotated[int, Field(ge=1, le=250)] = 100
    user: Literal["hash", "plain"] = "hash"
    log: LogConfig = LogConfig()


class LangfuseConfig(BaseModel):
    """Delivery to Langfuse. `auto`: on when both keys are set."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: Literal["auto", "on", "off"] = "auto"
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 100
    batch_bytes: Annotated[int, Field(ge=10_000)] = 2 * 1024 * 1024  # before gzip
    interval_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    max_tries: Annotated[int, Field(ge=1, le=100)] = 5  # refusals before a record is set aside
    backoff_max_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    lease_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    environment: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "default"


@dataclass(frozen=True, slots=True)
class LangfuseAccess:
    """Where Langfuse is and how to log in. `repr` never shows the secret."""

    host: str
    public_key: str
    secret_key: str = field(repr=False)

    @classmethod
    def from_env(cls, config: LangfuseConfig, env: Mapping[str, str]) -> LangfuseAccess | None:
        """Access as LANGFUSE_HOST (or _BASE_URL), _PUBLIC_KEY and _SECRET_KEY say; None when off.

        Raises GatewayConfigError when `enabled: on` lacks a key, or the host is no http(s) address.
        """
        if config.enabled == "off":
            return None
        public, secret = env.get("LANGFUSE_PUBLIC_KEY", ""), env.get("LANGFUSE_SECRET_KEY", "")
        if not (public and secret):
            if config.enabled == "on":
                raise GatewayConfigError(
                    "langfuse.enabled is `on` but LANGFUSE_PUBLIC_KEY or LANGFUSE_SECRET_KEY is not set: "
                    "put both into .env, or set langfuse.enabled: auto"
                )
            return None
        host = (env.get("LANGFUSE_HOST") or env.get("LANGFUSE_BASE_URL") or DEFAULT_HOST).rstrip("/")
        if not host.startswith(("http://", "https://")):
            raise GatewayConfigError("LANGFUSE_HOST must start with http:// or https://")
        return cls(host, public, secret)
