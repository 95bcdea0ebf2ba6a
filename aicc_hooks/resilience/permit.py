"""What the breaker hands out and tells: Permit, Denied, Transition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.circuit import State

Scope = Literal["address", "deployment"]
Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one attempt; hand it back with `record`. Truthy. `trial`: the half-open probe.

    `again`: the same request has failed at this address already, so that another error may well be its own doing.
    """

    address: str
    deployment: str
    trial: bool = False
    token: int = 0
    again: bool = False

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Denied:
    """No attempt now. Falsy. `retry_after`: seconds until the next trial, at least a little."""

    scope: Scope
    key: str
    retry_after: float
    reason: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, for the record, the metrics and the alerts. Holds no request text."""

    scope: Scope
    key: str
    old: State
    new: State
    reason: str
    cooldown_s: float
    remote: bool  # learnt from another gateway


Listener = Callable[[Transition], None]


def upstream_down(model: str, retry_after: int, why: str = "") -> Refusal:
    """The 503 when no capable deployment of `model` may be tried. `why`: a `Denied.reason`."""
    because = f" ({why})" if why else ""
    return Refusal(
        "aicc_upstream_down",
        f"No upstream that can serve '{model}' is available{because}. Retry in {retry_after} s; `aicc doctor` says what is away.",
        503,
        retry_after=retry_after,
    )
