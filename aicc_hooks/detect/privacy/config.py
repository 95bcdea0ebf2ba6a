"""Policy section `privacy`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from aicc_hooks.verdict import Action

PLAN_PATTERNS = (
    r"(?i)\b\"?ssn\"?\b",
    r"(?i)password",
    r"(?i)api[_-]?key",
    r"(?i)secret",
    r"(?i)private[_-]?key",
)


class EntityRule(BaseModel):
    """What finding an entity leads to."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    action: Action


class CustomEntity(BaseModel):
    """An entity of the user's own; reported under its `name`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    pattern: str
    keywords: tuple[str, ...] = ()  # when given, one must stand within 60 characters
    checksum: Literal["none", "luhn", "iban", "mod11", "mod97", "verhoeff"] = "none"
    action: Action = "route"
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()


class PrivacyConfig(BaseModel):
    """The keys of policy.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    pii_regexes: tuple[str, ...] = PLAN_PATTERNS
    keyword_mentions: Literal["value", "route", "ignore"] = "value"
    entropy_threshold: Annotated[float, Field(ge=0, le=8)] = 3.5
    min_token_length: Annotated[int, Field(ge=8, le=512)] = 24
    entropy_scope: Literal["context", "anywhere"] = "context"
    entities: dict[str, EntityRule] = {}
    custom: tuple[CustomEntity, ...] = ()
    cloud: Literal["reroute", "block"] = "reroute"
    # Attachments nobody here can read, treated as private. `image` is left out by default: a cloud
    # vision model the owner configured would never be reached.
    uninspectable: tuple[Literal["file", "audio", "tokens", "image"], ...] = ("file", "audio", "tokens")
    pattern_timeout_ms: Annotated[int, Field(ge=1, le=1000)] = 50
