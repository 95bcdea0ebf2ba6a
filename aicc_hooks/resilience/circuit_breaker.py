"""Circuit breaker over upstream addresses and deployments.

LiteLLM never cools down a refused connection and pays 4.8 s on every request (`APIConnectionError` is exempt from its
cooldown), so this one decides before an attempt leaves. A refused connection opens the address for all its models
at once; other failures open the deployment, and the address only when several of its deployments fail.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from threading import RLock
from typing import Any

from aicc_hooks.resilience.address import address_key
from aicc_hooks.resilience.circuit import Circuit, State
from aicc_hooks.resilience.classify import FAILURES, Outcome
from aicc_hooks.resilience.config import BreakerConfig
from aicc_hooks.resilience.permit import Denied, Key, Listener, Permit, Scope
from aicc_hooks.resilience.transitions import Transitions

_MIN_SOURCES: dict[Scope, int] = {"address": 2, "deployment": 1}
_MAX_CIRCUITS = 2048  # deployments are configured, not sent by clients; this bounds a reload loop


class CircuitBreaker:
    """Decides before each attempt (`allow`), learns after it (`record`). Safe to call from threads."""

    def __init__(
        self,
        config: BreakerConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.config = config or BreakerConfig()
        self._clock = clock
        self._rng = rng
        self._circuits: dict[Key, Circuit] = {}
        self._lock = RLock()
        self._tokens = 0
        self._transitions = Transitions(self._lock)

    def configure(self, config: BreakerConfig) -> None:
        """Takes a reloaded policy; running state is kept, windows start anew when their length changed."""
        with self._lock:
            if config.window_s != self.config.window_s:
                self._circuits = {k: c for k, c in self._circuits.items() if c.state is not State.CLOSED}
            self.config = config

    def subscribe(self, listener: Listener) -> None:
        """Calls `listener` on every transition, after the state has changed, outside the lock."""
        self._transitions.subscribe(listener)

    def allow(self, address: str, deployment: str) -> Permit | Denied:
        """Leave to try `deployment` at `address` (a URL or host:port). A half-open circuit gives one."""
        address = address_key(address)
        if not self.config.enabled:
            return Permit(address, deployment)
        with self._lock:
            circuits = self._circuits
            of_address = circuits.get(("address", address))
            of_deployment = circuits.get(("deployment", deployment))
            # The usual case, both closed, pays two look-ups.
            if (of_address is None or of_address.state is State.CLOSED) and (
                of_deployment is None or of_deployment.state is State.CLOSED
            ):
                return Permit(address, deployment)
            now = self._clock()
            denied = self._denied("address", address, of_address, now)
            if denied is None:  # not `or`: a Denied is falsy
                denied = self._denied("deployment", deployment, of_deployment, now)
            if denied is not None:
                return denied
            self._tokens += 1
            if of_deployment is not None:
                of_deployment.address = address  # one learnt from another gateway has none yet
            for scope, key, circuit in (
                ("address", address, of_address),
                ("deployment", deployment, of_deployment),
            ):
                if circuit is not None and circuit.state is not State.CLOSED:
                    self._to_half_open(scope, key, circuit)  # type: ignore[arg-type]
                    circuit.trial_since = now
                    circuit.trial_token = self._tokens
            permit = Permit(address, deployment, trial=True, token=self._tokens)
        self._transitions.tell()
        return permit

    def record(self, permit: Permit, outcome: Outcome) -> None:
        """How the attempt ended. Recording a trial twice, or after it was given up, changes nothing."""
        if not self.config.enabled:
            return
        with self._lock:
            now = self._clock()
            self._learn(("address", permit.address), permit, outcome, now)
            self._learn(("deployment", permit.deployment), permit, outcome, now)
        self._transitions.tell()

    def reachable(self, address: str) -> None:
        """A health probe was answered by `address`: close it.

        The probe is the trial. Without it the one trial request may sit in a 30 s model load while every other
        request is refused, although Ollama is back.
        """
        with self._lock:
            key = address_key(address)
            circuit = self._circuits.get(("address", key))
            if circuit is not None and circuit.state is not State.CLOSED:
                self._close("address", key, circuit, "health probe answered")
        self._transitions.tell()

    def unreachable(self, address: str, reason: str = "health probe refused") -> None:
        """A health probe was refused: open `address` before a request has to find out."""
        if not self.config.enabled:
            return
        with self._lock:
            key = address_key(address)
            circuit = self._circuit(("address", key))
            if circuit.state is not State.OPEN or circuit.due(self._clock()):
                self._open("address", key, circuit, reason)
        self._transitions.tell()

    def retry_after(self, pairs: list[tuple[str, str]]) -> int:
        """Whole seconds until the first of these (address, deployment) pairs may be tried; asks for no trial."""
        with self._lock:
            now = self._clock()
            waits = [self._pair_wait(address, deployment, now) for address, deployment in pairs]
        return max(1, math.ceil(min(waits, default=1.0)))

    def reason(self, pairs: list[tuple[str, str]]) -> str:
        """Why the first of these pairs that is not closed is not, for people; "" when all are."""
        with self._lock:
            for address, deployment in pairs:
                for key in (("address", address_key(address)), ("deployment", deployment)):
                    circuit = self._circuits.get(key)
                    if circuit is not None and circuit.state is not State.CLOSED:
                        return circuit.reason
        return ""

    def usable(self, address: str, deployment: str) -> bool:
        """Whether `allow` would say yes; takes no trial. For filters that list candidates."""
        if not self.config.enabled:
            return True
        with self._lock:
            return self._pair_wait(address, deployment, self._clock()) <= 0

    def snapshot(self) -> dict[str, dict[str, dict[str, Any]]]:
        """{"address": {key: {...}}, "deployment": {...}} for health, metrics and the page."""
        out: dict[str, dict[str, dict[str, Any]]] = {"address": {}, "deployment": {}}
        with self._lock:
            now = self._clock()
            for (scope, key), circuit in self._circuits.items():
                out[scope][key] = circuit.describe(now)
        return out

    # -- shared state -------------------------------------------------------------------------------------------

    def open_circuits(self) -> dict[Key, tuple[State, float, str]]:
        """State, seconds left and reason of every circuit that is not closed."""
        with self._lock:
            now = self._clock()
            return {
                key: (c.state, max(0.0, c.until - now) if c.state is State.OPEN else 0.0, c.reason)
                for key, c in self._circuits.items()
                if c.state is not State.CLOSED
            }

    def address_of(self, deployment: str) -> str:
        """The upstream a deployment was last seen at; empty when not known."""
        circuit = self._circuits.get(("deployment", deployment))
        return circuit.address if circuit is not None else ""

    def adopt(self, scope: Scope, key: str, state: State, remaining_s: float, reason: str) -> None:
        """Takes over what another gateway learnt. Never shortens an opening of our own; never trusts a long one."""
        if not self.config.enabled:
            return
        with self._lock:
            now = self._clock()
            if state is State.CLOSED:
                circuit = self._circuits.get((scope, key))
                if circuit is not None and circuit.state is not State.CLOSED:
                    self._close(scope, key, circuit, "recovered elsewhere", remote=True)
            elif remaining_s > 0:
                circuit = self._circuit((scope, key))
                limit = self.config.max_cooldown_s * (1 + self.config.jitter)
                # A trial under way elsewhere holds ours back; our own trial is left to end.
                if not circuit.trial_running(now, self.config.trial_timeout_s):
                    # Our own jitter on top: gateways that learnt of it together must not all try it at once.
                    until = now + min(remaining_s, limit) * (1 + self.config.jitter * self._rng())
                    if circuit.state is not State.OPEN:
                        self._open(scope, key, circuit, reason, remote=True)
                        circuit.until = until
                    else:
                        circuit.until = max(circuit.until, until)
        self._transitions.tell()

    # -- inside the lock ----------------------------------------------------------------------------------------

    def _circuit(self, key: Key) -> Circuit:
        circuit = self._circuits.get(key)
        if circuit is None:
            if len(self._circuits) >= _MAX_CIRCUITS:
                for old in [k for k, c in self._circuits.items() if c.state is State.CLOSED][
                    : _MAX_CIRCUITS // 2
                ]:
                    del self._circuits[old]
            circuit = self._circuits[key] = Circuit(self.config.window_s)
        return circuit

    def _wait(self, circuit: Circuit | None, now: float) -> float:
        return 0.0 if circuit is None else circuit.wait(now, self.config.trial_timeout_s)

    def _pair_wait(self, address: str, deployment: str, now: float) -> float:
        of_address = self._circuits.get(("address", address_key(address)))
        return max(
            self._wait(of_address, now), self._wait(self._circuits.get(("deployment", deployment)), now)
        )

    def _denied(self, scope: Scope, key: str, circuit: Circuit | None, now: float) -> Denied | None:
        wait = self._wait(circuit, now)
        if wait <= 0 or circuit is None:
            return None
        return Denied(scope, key, wait, circuit.reason)

    def _learn(self, key: Key, permit: Permit, outcome: Outcome, now: float) -> None:
        scope, name = key
        failed = outcome in FAILURES
        circuit = self._circuits.get(key)
        trial = (
            circuit is not None and permit.trial and circuit.state is State.HALF_OPEN and circuit.trial_token == permit.token
        )  # fmt: skip
        if outcome is Outcome.REFUSED:
            # The model is innocent: only the address is away.
            if scope == "deployment":
                if circuit is not None and trial:
                    circuit.trial_since = -1.0
                return
            circuit = self._circuit(key)
            circuit.count(True, now, permit.deployment)
            if circuit.state is State.CLOSED or trial:
                self._open(scope, name, circuit, "connection refused")
            return
        if circuit is None:
            circuit = self._circuit(key)
        circuit.address = permit.address
        if circuit.state is State.CLOSED:
            if outcome is Outcome.OK:
                circuit.count(False, now)
            elif failed and not (permit.again and outcome is Outcome.SERVER_ERROR):
                # One request is one witness: a schema that every model chokes on must not close them all to everybody.
                circuit.count(True, now, permit.deployment)
                why = circuit.tripped(self.config, now, _MIN_SOURCES[scope])
                if why:
                    self._open(scope, name, circuit, f"{outcome.value}: {why}")
            return
        if not trial:
            return  # a straggler from before the opening says nothing about now
        self._learn_trial(key, circuit, outcome, failed)

    def _learn_trial(self, key: Key, circuit: Circuit, outcome: Outcome, failed: bool) -> None:
        scope, name = key
        answered = outcome in (Outcome.OK, Outcome.CLIENT_ERROR)
        # Whatever a server answers proves that its address is alive; only silence does not.
        if scope == "address":
            answered = answered or outcome in (Outcome.LOADING, Outcome.SERVER_ERROR, Outcome.OOM)
        if answered:
            self._close(scope, name, circuit, "trial answered")
        elif failed:
            self._open(scope, name, circuit, f"{outcome.value}: trial failed")
        else:
            circuit.trial_since = -1.0  # loading or hung up: no news, the next request may try

    def _open(self, scope: Scope, key: str, circuit: Circuit, reason: str, *, remote: bool = False) -> None:
        old = circuit.state
        cooldown = circuit.open(self.config, self._clock(), reason, self._rng())
        self._transitions.note(scope, key, old, State.OPEN, reason, cooldown, remote)

    def _close(self, scope: Scope, key: str, circuit: Circuit, reason: str, *, remote: bool = False) -> None:
        old = circuit.state
        circuit.close()
        self._transitions.note(scope, key, old, State.CLOSED, reason, 0.0, remote)

    def _to_half_open(self, scope: Scope, key: str, circuit: Circuit) -> None:
        if circuit.state is State.HALF_OPEN:
            return
        circuit.state = State.HALF_OPEN
        circuit.trial_since = -1.0
        self._transitions.note(scope, key, State.OPEN, State.HALF_OPEN, circuit.reason, 0.0, False)
