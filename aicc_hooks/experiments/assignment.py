"""Who gets which variant. A pure function of salt, experiment, unit and weights: no state, no clock, no order.

A variant is chosen by weighted rendezvous hashing: each variant draws a number from (salt, experiment, variant,
unit), the largest `weight / -ln(u)` wins. When weights change, only units move that must: from variants that lost
weight to those that gained it. Adding or removing another experiment changes nothing here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicc_hooks.experiments.schema import ExperimentConfig, Experiments, Variant, as_word
from aicc_hooks.experiments.units import Unit, unit_of
from aicc_hooks.record.client import client_label

ENDPOINTS = ("chat", "responses", "messages")


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a request decides about its part in experiments. `local`: groups only on this machine."""

    endpoint: str
    model: str = ""
    route: str = ""  # chosen without an experiment
    client: str = ""  # User-Agent
    user: str = ""
    session: str = ""
    opening: str = ""  # the first user message; only its hash is used
    request: str = ""  # the gateway's id of the request
    metadata: Mapping[str, object] = field(default_factory=dict)
    private: bool = False
    flagged: bool = False
    fixed: bool = False  # its model is kept whatever a variant says (explicit_local: honour)
    now: float = 0.0  # epoch seconds
    local: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Dealt:
    """What a request got, and the unit that will get it again."""

    experiment: ExperimentConfig
    variant: Variant
    unit: Unit


def choose(experiments: Experiments, facts: Facts, available: Collection[str]) -> Dealt | None:
    """The first experiment of the file the request belongs to, and its variant. `available`: model groups.

    A request is in one experiment at most, so that no difference is another experiment's doing. Put new
    ones at the end of the file: they then take no request from those before them.
    """
    for experiment, unit in offers(experiments, facts, available):
        variant = deal(experiments.salt, experiment, unit)
        if variant is not None:
            return Dealt(experiment, variant, unit)
    return None


def offers(
    experiments: Experiments, facts: Facts, available: Collection[str]
) -> Iterator[tuple[ExperimentConfig, Unit]]:
    """Running experiments whose target the request meets, in the order of the file, and what each deals to."""
    if not experiments.enabled or facts.flagged or facts.endpoint not in ENDPOINTS:
        return
    for experiment in experiments.experiments:
        if _meets(experiment, facts, available):
            yield experiment, unit_of(
                experiment.unit, experiments.salt, user=facts.user, session=facts.session, opening=facts.opening,
                request=facts.request,
            )  # fmt: skip


def deal(salt: str, experiment: ExperimentConfig, unit: Unit) -> Variant | None:
    """The variant of a unit; None when it is not in the experiment's percentage."""
    if draw(salt, experiment.name, "\0in", str(unit)) * 100.0 >= experiment.percentage:
        return None
    return pick(salt, experiment.name, experiment.variants, str(unit))


def _meets(experiment: ExperimentConfig, facts: Facts, available: Collection[str]) -> bool:
    target = experiment.target
    if not experiment.runs_at(facts.now) or not experiment.models <= set(available):
        return False
    if facts.private and not experiment.models <= set(facts.local):
        return False  # one variant would leave the machine: the others alone would be no comparison
    if facts.fixed and experiment.models:
        return False  # the variants with a model would not get it: the same
    if target.models and facts.model not in target.models:
        return False
    if target.routes and facts.route not in target.routes:
        return False
    if target.clients and not _names(facts.client) & {name.lower() for name in target.clients}:
        return False
    if target.endpoints and facts.endpoint not in target.endpoints:
        return False
    return all(as_word(facts.metadata.get(name)) == value for name, value in target.metadata.items())


def _names(user_agent: str) -> set[str]:
    """What a file may call this client: its product name (curl, OpenAI) or the family the record shows."""
    return {user_agent.partition("/")[0].lower(), client_label(user_agent)}


def pick(salt: str, experiment: str, variants: Sequence[Variant], unit: str) -> Variant:
    """The variant of a unit."""
    return max(variants, key=lambda v: (v.weight / -math.log(draw(salt, experiment, v.name, unit)), v.name))


def draw(salt: str, experiment: str, purpose: str, unit: str) -> float:
    """A number in (0, 1), the same on every host and Python version."""
    text = "\x1f".join((salt, experiment, purpose, unit)).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11 | 1) / (1 << 53)
