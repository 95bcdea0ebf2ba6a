"""experiments.yaml as types. An unknown key, weights that do not sum or a name given twice refuse the file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from aicc_hooks.experiments.parameters import check_parameters
from aicc_hooks.experiments.units import UnitKind

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$")]
# Where a template puts the client's own system prompt; Langfuse allows the spaces too.
PLACE = re.compile(r"\{\{ *system *\}\}")
MAX_CHARS = 1 << 20  # of a prompt
Metric = Literal["score", "error_rate", "latency_ms", "tokens"]


def _no_number(value: object) -> object:
    # 20260101 would be read as a second of August 1970.
    if isinstance(value, (int, float)):
        raise ValueError(f"found the number {value}; write 2026-01-31 or 2026-01-31T08:00:00Z")
    return value


def _word(value: object) -> object:
    """A value of metadata as the file and a request both may write it: 3 is '3', true is 'true'."""
    return as_word(value) if isinstance(value, (bool, int, float)) else value


def as_word(value: object) -> str:
    """A value of metadata as a word; JSON's own for true and false."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_Text = Annotated[str, Field(max_length=MAX_CHARS)]  # which refuses half a character too
_Time = Annotated[datetime, BeforeValidator(_no_number)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LangfusePrompt(_Model):
    """A prompt managed in Langfuse. `fallback` is used until it was fetched once, and when it never can be."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    label: str = ""
    version: Annotated[int, Field(ge=1)] | None = None
    fallback: _Text

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.label and self.version is not None:
            raise ValueError("give label or version, not both")
        return self

    @property
    def address(self) -> str:
        """name@label or name@version, as health and the log name it."""
        return f"{self.name}@{self.version if self.version is not None else self.label or 'production'}"


class SystemPrompt(_Model):
    """What a variant does to the system prompt. `template` puts the client's own in place of {{system}}."""

    mode: Literal["prepend", "append", "replace", "template"] = "prepend"
    text: _Text | None = None
    langfuse: LangfusePrompt | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.text is None) == (self.langfuse is None):
            raise ValueError("give text or langfuse, exactly one of them")
        if self.mode == "template" and not PLACE.search(
            self.text or (self.langfuse and self.langfuse.fallback) or ""
        ):
            source = "text" if self.langfuse is None else "langfuse.fallback"
            raise ValueError(f"{source}: a template needs {{{{system}}}}, else mode: replace")
        return self


class Variant(_Model):
    """One arm. An arm that changes nothing is the control."""

    name: _Name
    weight: Annotated[float, Field(ge=0, le=100)]
    system: SystemPrompt | None = None
    model: str = ""  # a model group of config.yaml
    parameters: dict[str, Any] = {}

    @model_validator(mode="after")
    def _known_parameters(self) -> Self:
        check_parameters(self.parameters)
        return self

    @cached_property
    def digest(self) -> str:
        """Short hash of all it changes, so that the record can tell two texts of one name apart. Not of its weight.

        Of what is set only: a release that adds a setting must not make every variant another one.
        """
        content = self.model_dump(
            mode="json", include={"system", "model", "parameters"}, exclude_defaults=True
        )
        text = json.dumps(content, sort_keys=True).encode()
        return hashlib.blake2b(text, digest_size=6).hexdigest()


class Target(_Model):
    """Which requests may join. Empty means any; all that is given must hold."""

    models: tuple[str, ...] = ()  # as the client names them
    routes: tuple[str, ...] = ()  # as the policy would choose without the experiment
    clients: tuple[str, ...] = ()  # product name or family of the User-Agent
    endpoints: tuple[Literal["chat", "responses", "messages"], ...] = ()
    metadata: dict[str, Annotated[str, BeforeValidator(_word)]] = {}


class ExperimentConfig(_Model):
    """One experiment."""

    name: _Name
    enabled: bool = True
    description: str = ""
    start: _Time | None = None
    stop: _Time | None = None
    percentage: Annotated[float, Field(ge=0, le=100)] = 100.0  # of the requests that match the target
    target: Target = Target()
    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=10)]
    unit: UnitKind = "user"  # what keeps its variant, and counts once in the report
    metric: Metric = "score"
    # In the metric's unit; what is worth finding.
    minimum_effect: Annotated[float, Field(ge=1e-6, le=1e9)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) != len(names):
            raise ValueError("variants: each name once")
        total = sum(variant.weight for variant in self.variants)
        if abs(total - 100.0) > 0.01:
            raise ValueError(f"variants: weights sum to {total:g}; they must sum to 100")
        if self.start and self.stop and _utc(self.start) >= _utc(self.stop):
            raise ValueError("stop: must be after start")
        return self

    def runs_at(self, now: float) -> bool:
        """Enabled and between start and stop. `now`: epoch seconds."""
        return self.enabled and self.spans(now)

    def spans(self, moment: float) -> bool:
        """Between start and stop, whether enabled or not. `moment`: epoch seconds."""
        if self.start and moment < _utc(self.start).timestamp():
            return False
        return not (self.stop and moment >= _utc(self.stop).timestamp())

    def content(self, variant: Variant) -> str:
        """What the record says a request got: the variant's digest and how units are dealt."""
        return f"{variant.digest}:{self.unit}"

    def begins_after(self, now: float) -> bool:
        """It has a start, which is to come."""
        return self.start is not None and now < _utc(self.start).timestamp()

    @property
    def models(self) -> frozenset[str]:
        """Model groups the variants name."""
        return frozenset(v.model for v in self.variants if v.model)

    @property
    def prompts(self) -> frozenset[LangfusePrompt]:
        """Prompts of Langfuse the variants name."""
        return frozenset(v.system.langfuse for v in self.variants if v.system and v.system.langfuse)

    @property
    def templates(self) -> frozenset[LangfusePrompt]:
        """Those of them that are to hold a place for the client's own."""
        return frozenset(
            v.system.langfuse
            for v in self.variants
            if v.system and v.system.langfuse and v.system.mode == "template"
        )


class Experiments(_Model):
    """The whole file. `enabled: false` is the kill switch for all."""

    enabled: bool = True
    salt: Annotated[str, Field(min_length=1)] = "aicc"
    prompt_cache_ttl_s: Annotated[float, Field(ge=1, le=86_400)] = (
        60.0  # how often Langfuse is asked for a prompt
    )
    experiments: tuple[ExperimentConfig, ...] = ()

    def switched_off(self, names: Collection[str], *, every: bool) -> Experiments:
        """Without those of these names; `every`: the kill switch for all."""
        kept = tuple(
            e.model_copy(update={"enabled": False}) if e.name in names else e for e in self.experiments
        )
        return self.model_copy(update={"enabled": self.enabled and not every, "experiments": kept})

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [e.name for e in self.experiments]
        if len(set(names)) != len(names):
            raise ValueError("experiments: each name once")
        return self


def _utc(moment: datetime) -> datetime:
    """A time without zone is UTC, so that hosts in two zones agree."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
