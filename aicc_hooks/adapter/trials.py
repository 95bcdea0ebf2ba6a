"""Experiments at the gateway: which variant a call gets, and where managed prompts come from."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from aicc_hooks.adapter.calls import Call
from aicc_hooks.catalog import Catalog
from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.experiments.apply import Assignment
from aicc_hooks.experiments.assignment import ENDPOINTS, Facts
from aicc_hooks.experiments.load import Offered
from aicc_hooks.experiments.prompts import Fetch, PromptCache, langfuse_fetch
from aicc_hooks.experiments.store import ExperimentStore
from aicc_hooks.experiments.units import opening
from aicc_hooks.record.config import DEFAULT_HOST
from aicc_hooks.verdict import Decision, Needs, Verdict

if TYPE_CHECKING:
    from aicc_hooks.adapter.runtime import Runtime

log = logging.getLogger("aicc_hooks")


def assign(
    store: ExperimentStore, call: Call, verdict: Verdict, catalog: Catalog, without: Decision
) -> Assignment | None:
    """The variant of a call; None for all that take no part. `without`: the decision if there were no experiment."""
    if without.blocked or call.endpoint not in ENDPOINTS or not store.current.experiments:
        return None
    facts = Facts(
        call.endpoint,
        call.requested or "auto",
        route=without.route,
        client=call.client,
        user=call.user,
        session=call.session,
        opening=_opening(store, call),
        request=call.id,
        metadata=call.metadata,
        private=without.local_only,
        flagged=verdict.injection.flagged,
        fixed=without.local_only
        and without.reason == "explicit",  # only `explicit_local: honour` lets it be both
        now=time.time(),
        local=[name for name, group in catalog.groups.items() if group.only_local],
    )
    return store.assign(facts)


def _opening(store: ExperimentStore, call: Call) -> str:
    """The conversation's first user message, of the turns an id stands for too; looked for only where it counts."""
    if call.extract is None or all(e.unit != "conversation" for e in store.current.experiments):
        return ""
    return opening(call.extract.segments)


def needs_with(variant: Assignment, needs: Needs) -> Needs:
    """What the request needs once its variant is applied: Ollama would cut a prompt it was given no room for."""
    reply = dict(variant.parameters).get("max_tokens", needs.reply)
    return replace(needs, tokens=needs.tokens + _tokens(variant.system or ""), reply=reply)


_tokens = lru_cache(maxsize=64)(estimate_tokens)  # the same few prompts with every request


def apply(store: ExperimentStore, call: Call) -> bool:
    """Change the call's body as its variant says. True when it changed; a variant that breaks is left out."""
    if call.assignment is None or call.body is None or call.decision is None or not call.decision.variant:
        return False
    try:
        changed = call.assignment.apply(call.body, call.endpoint)
    except Exception as error:
        store.failed()
        log.error("a variant could not be applied: %s", type(error).__name__)
        call.assignment, call.decision = None, replace(call.decision, variant="")
        return False
    if changed == call.body:
        return False
    call.body.clear()
    call.body.update(changed)
    return True


def store_of(runtime: Runtime) -> ExperimentStore:
    """The gateway's experiments.yaml. It waits until LiteLLM's models and a policy are known: what it names is checked."""

    def offered() -> Offered | None:
        policy = runtime.store.current
        if not runtime.catalog.groups or policy is None:
            return None
        return Offered.of(runtime.catalog, policy.policy.routing.aliases)

    prompts = PromptCache(prompt_fetch(runtime.env))
    return ExperimentStore(runtime.home / "experiments.yaml", offered=offered, prompts=prompts)


def poll(store: ExperimentStore) -> None:
    """Look for a changed file. Blocking: for a thread."""
    before = store.error
    if store.poll():
        current = store.current
        log.info("experiments in force: %d", current.enabled and sum(e.enabled for e in current.experiments))
    if store.error and store.error != before:
        log.error("experiments refused, keeping the last good ones: %s", store.error)


def prompt_fetch(env: Mapping[str, str]) -> Fetch | None:
    """Langfuse as the environment names it; None without keys."""
    public, secret = env.get("LANGFUSE_PUBLIC_KEY", ""), env.get("LANGFUSE_SECRET_KEY", "")
    if not public or not secret:
        return None
    return langfuse_fetch(
        env.get("LANGFUSE_HOST") or env.get("LANGFUSE_BASE_URL") or DEFAULT_HOST, public, secret
    )


def decided(call: Call, decision: Decision, assignment: Assignment) -> Decision:
    """Bind assignment and decision: a decision that dropped the variant drops the assignment too."""
    call.assignment = assignment if decision.variant else None
    return (
        replace(decision, steps=(*decision.steps, f"experiment: {assignment.label}"))
        if decision.variant
        else decision
    )
