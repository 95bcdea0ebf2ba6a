"""One request's state, held server-side. Hooks find it by context, never by anything a client can send."""

from __future__ import annotations

import time
import uuid
import weakref
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aicc_hooks.catalog import upstream_of
from aicc_hooks.errors import Refusal
from aicc_hooks.experiments.apply import Assignment
from aicc_hooks.payload import Extract
from aicc_hooks.resilience.limits import Slot
from aicc_hooks.resilience.permit import Permit
from aicc_hooks.verdict import Decision, Needs, Verdict


@dataclass(slots=True)
class Attempt:
    """One try at one deployment. Times are perf_counter seconds."""

    group: str
    deployment: str
    model: str
    address: str
    started: float
    ended: float = 0.0
    error: str = ""  # outcome kind, never provider text
    permit: Permit | None = None
    slot: Slot | None = None
    loading: bool = False  # the model was not in memory when the attempt began
    num_ctx: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)  # added to the call: num_ctx, keep_alive
    dropped: set[str] = field(default_factory=set)  # fields of the client that its model has no use for

    @property
    def upstream(self) -> str:
        """The address, or the cloud by its name: what breaker and queue go by."""
        return upstream_of(self.address, self.model)

    @property
    def deployment_label(self) -> str:
        """For people: group and model."""
        return f"{self.group}/{self.model}" if self.group else self.model


@dataclass(slots=True, weakref_slot=True)
class Call:
    """Everything known of a request while it runs."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    endpoint: str = "other"
    method: str = "POST"
    path: str = ""
    started: float = field(default_factory=time.perf_counter)
    wall: float = field(default_factory=time.time)
    body: dict[str, Any] | None = None
    extract: Extract | None = None
    needs: Needs | None = None
    requested: str = ""
    stream: bool = False
    spoke: bool = False  # a token left LiteLLM for the client: nothing is tried again
    session: str = ""
    user: str = ""
    client: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)  # as the client sent it, in memory only
    assignment: Assignment | None = None  # the experiment variant that answers
    origin: str = ""  # of an allowed web app (CORS)
    encoding: str = ""  # of embeddings, as the client wants them
    stripped: tuple[str, ...] = ()
    old_names: bool = False  # it sent `functions`, and reads the answer under such names
    elsewhere: bool = False  # it points at turns that only the chosen model's provider has
    verdict: Verdict | None = None
    decision: Decision | None = None
    refusal: Refusal | None = None
    error_code: str = ""
    applied: bool = False
    cache_tier: str = "bypass"
    cache_similarity: float | None = None
    cache_age_s: float | None = None
    cold_start: bool = False
    cut: str = ""  # "prompt": the model read an embedding's text only in part
    mode: str = "live"
    hide_usage: bool = False  # the stream's usage chunk is for us; the client did not ask for it
    known: dict[str, str] = field(default_factory=dict)  # found value → entity, in memory only
    attempts: list[Attempt] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds by step

    @property
    def local_only(self) -> bool:
        """Private, or not judged yet: nothing leaves before a verdict says it may."""
        return self.decision is None or self.decision.local_only


_current: ContextVar[Call | None] = ContextVar("aicc_call", default=None)
# Without the gate there is no context of ours; LiteLLM's logging object is made by the server for each
# request. Its call id is not used as a key: a client may choose it (header x-litellm-call-id) and
# could reuse the id of a clean request for a private one.
_by_logging_object: weakref.WeakKeyDictionary[Any, Call] = weakref.WeakKeyDictionary()


def enter(call: Call) -> None:
    """Make `call` the one of the running context."""
    _current.set(call)


def current() -> Call | None:
    """The call of the running context (set by the gate)."""
    return _current.get()


def find(data: dict[str, Any]) -> Call | None:
    """The call a hook's payload belongs to, or None when nobody has seen it yet."""
    call = _current.get()
    if call is not None:
        return call
    try:
        return _by_logging_object.get(data.get("litellm_logging_obj"))
    except TypeError:
        return None


def remember(data: dict[str, Any], call: Call) -> None:
    """Bind a call made by a hook (no gate) to LiteLLM's logging object."""
    try:
        _by_logging_object[data["litellm_logging_obj"]] = call
    except (KeyError, TypeError):
        _current.set(call)
