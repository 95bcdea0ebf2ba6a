"""Verdict + policy + catalog → Decision. Pure: the same inputs always give the same route and reason.

Order: blocked injection → flagged injection → private → experiment → explicit model → tier. Hard
constraints (`capable.py`) then move the choice to the nearest capable group that the order allows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from aicc_hooks.capable import Ask, Choice, Conditions, settle
from aicc_hooks.catalog import Catalog
from aicc_hooks.decision_words import (
    first_rule,
    privacy_reason,
    privacy_step,
    shown_name,
    what_is_private,
)
from aicc_hooks.policy.schema import Policy
from aicc_hooks.verdict import Decision, Needs, Tier, Verdict

_TIERS: tuple[Tier, ...] = ("simple", "medium", "complex")


@dataclass(frozen=True, slots=True)
class Experiment:
    """A variant chosen for this request: `label` is experiment:variant, `route` a group or ""."""

    label: str
    route: str = ""
    private_too: bool = False  # every variant is on this machine, so private requests take part


def decide(
    verdict: Verdict,
    policy: Policy,
    catalog: Catalog,
    *,
    requested: str,
    needs: Needs,
    down: Collection[str] = (),
    loaded: Collection[str] | None = None,
    hurried: str = "",
    experiment: Experiment | None = None,
) -> Decision:
    """Choose the model group.

    `down`: groups whose every deployment has an open breaker. `loaded`: groups whose model is in memory
    (None: unknown); a tier's choice may move up to one. `hurried`: the group preferred under high load.
    """
    ask = Ask(verdict, requested, needs, private=verdict.privacy.sensitive or verdict.sticky)
    ask.steps.append(privacy_step(verdict))
    flagged = ", flagged" if verdict.injection.flagged else ""
    ask.steps.append(f"injection: score {verdict.injection.score:.2f}{flagged}")
    if verdict.injection.block and policy.routing.block_on_injection:
        rule = first_rule(verdict)
        ask.steps.append("policy blocks injections at this score")
        sentence = f"Refused: the request looks like a prompt injection ({rule})."
        return ask.decision(f"injection:{rule}", sentence, blocked="aicc_blocked_injection")
    if needs.mode == "other":
        ask.steps.append("extra route: model kept")
        sentence = "An extra route of the policy: its model is left alone."
        if ask.private:
            return ask.decision(privacy_reason(verdict), sentence + " On this machine only.", route=requested)
        return ask.decision("explicit", sentence, route=requested)
    if needs.mode != "chat":
        return _keep_model(ask, catalog)
    if unknown := _unknown(ask, policy, catalog):
        return ask.refuse("model_not_found", unknown)
    choice = _choose(ask, policy, catalog, experiment)
    ask.steps.append(f"rule: {choice.reason} → {choice.route}")
    if ask.private and choice.reason == "explicit:cloud_blocked":
        return ask.refuse("aicc_private_no_local_model", choice.sentence, privacy_reason(verdict))
    usable = {name: group for name, group in catalog.groups.items() if name not in policy.routing.aliases}
    decision = settle(ask, choice, usable, Conditions(frozenset(down), loaded, hurried))
    if decision.blocked or experiment is None or verdict.injection.flagged:
        return decision
    # A private request whose model the policy honours keeps it: a variant with another one is not what answers.
    kept = ask.private and choice.reason == "explicit" and bool(experiment.route)
    takes_part = not ask.private or (experiment.private_too and not kept)
    return replace(decision, variant=experiment.label) if takes_part else decision


def _choose(ask: Ask, policy: Policy, catalog: Catalog, experiment: Experiment | None) -> Choice:
    """The rules in their order; what the chosen group can do is not looked at yet."""
    routing, verdict = policy.routing, ask.verdict
    tiers = [getattr(routing, f"{tier}_route") for tier in _TIERS]
    explicit = catalog.groups.get(ask.requested) if ask.requested not in routing.aliases else None
    honoured = explicit is not None and explicit.only_local and routing.explicit_local == "honour"
    if not honoured:
        if verdict.injection.flagged:
            rule = first_rule(verdict)
            sentence = f"Looks like a prompt injection ({rule}), so it goes to {routing.injection_route}."
            return Choice(routing.injection_route, f"injection:{rule}", sentence)
        if ask.private:
            held = what_is_private(verdict)
            if explicit is not None and not explicit.local and policy.privacy.cloud == "block":
                sentence = f"Holds {held}, and {ask.requested} is not on this machine; policy privacy.cloud is 'block'."
                return Choice(ask.requested, "explicit:cloud_blocked", sentence)
            sentence, route = f"Holds {held}, so it stays on this machine", routing.privacy_route
            if experiment is not None and experiment.private_too and experiment.route:
                route = experiment.route
                sentence += f"; experiment {experiment.label} sends it to {route}."
            else:
                sentence += f" with {route}."
            return Choice(route, privacy_reason(verdict), sentence, tiers)
    risky = ask.private or verdict.injection.flagged  # honoured: the model asked for, without an experiment
    if experiment is not None and experiment.route and not risky:
        name = experiment.label.partition(":")[0]
        sentence = f"Experiment {experiment.label} sends it to {experiment.route}."
        return Choice(experiment.route, f"experiment:{name}", sentence, tiers)
    if explicit is not None:
        return Choice(ask.requested, "explicit", f"The client asked for {ask.requested} by name.", tiers)
    tier = verdict.complexity.tier
    index = _TIERS.index(tier)
    # A stronger model can do a weaker one's work; a weaker one is the last resort.
    order = [*tiers[index + 1 :], *reversed(tiers[:index])]
    why = ", ".join(verdict.complexity.why[:3])
    sentence = f"A {tier} request{f' ({why})' if why else ''} goes to {tiers[index]}."
    return Choice(tiers[index], f"complexity:{tier}", sentence, order, stronger=tuple(tiers[index + 1 :]))


def _keep_model(ask: Ask, catalog: Catalog) -> Decision:
    """Embeddings and rerank never change model: another model's vectors would poison an index."""
    mode, verdict = ask.needs.mode, ask.verdict
    group = catalog.groups.get(ask.requested)
    offered = catalog.of_mode(mode)
    names = ", ".join(g.name for g in offered) or "none"
    if (group is None or group.mode != mode) and ask.requested in ("", "auto") and offered:
        group = next((g for g in offered if g.only_local), offered[0])
    if group is None:
        hint = _near(ask.requested, [g.name for g in offered])
        sentence = (
            f"There is no model {shown_name(ask.requested, verdict)}.{hint} Models for {mode}: {names}. "
            "A client that insists on a name needs an entry with it in config.yaml."
        )
        return ask.refuse("model_not_found", sentence)
    if group.mode != mode:
        article = "an" if group.mode.startswith("e") else "a"
        sentence = f"{group.name} is {article} {group.mode} model; models for {mode}: {names}."
        return ask.refuse("aicc_invalid_request", sentence)
    if ask.private and not group.local:
        sentence = f"The input holds {what_is_private(verdict)} and {group.name} is not on this machine; use a local model for {mode}."
        return ask.refuse("aicc_private_no_local_model", sentence, privacy_reason(verdict))
    if verdict.injection.flagged:
        reason = f"injection:{first_rule(verdict)}"
    else:
        reason = privacy_reason(verdict) if ask.private else "explicit"
    ask.steps.append(f"{mode} keeps {group.name}")
    where = ", on this machine only." if ask.private else "."
    sentence = f"{mode.capitalize()} keeps the model asked for, {group.name}{where}"
    return ask.decision(reason, sentence, route=group.name, cache=not ask.private)


def _unknown(ask: Ask, policy: Policy, catalog: Catalog) -> str:
    aliases = policy.routing.aliases
    if not ask.requested or ask.requested in aliases or ask.requested in catalog.groups:
        return ""
    names = [*aliases, *(n for n in catalog.groups if n not in aliases)]
    hint = _near(ask.requested, names)
    return (
        f"There is no model {shown_name(ask.requested, ask.verdict)}.{hint} Available: {', '.join(names)}. "
        "A client that insists on a name: add it to routing.aliases in policy.yaml."
    )


def _near(requested: str, names: Sequence[str]) -> str:
    """The names that look most like the one asked for, as a question; "" when none does."""
    lowered = {name.lower(): name for name in names}
    near = [
        f"'{lowered[name]}'" for name in get_close_matches(requested[:64].lower(), lowered, n=3, cutoff=0.7)
    ]
    return f" Did you mean {' or '.join(near)}?" if near else ""
