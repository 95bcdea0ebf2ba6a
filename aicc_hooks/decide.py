"""Verdict + policy + catalog → Decision. Pure: the same inputs always give the same route and reason.

Order: blocked injection → flagged injection → private → experiment → explicit model → tier. Hard
constraints (tools, images, schema, context, an open breaker) then move the choice to the nearest
capable group that the order allows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from aicc_hooks.catalog import Catalog, ModelGroup
from aicc_hooks.decision_words import (
    ascii_reason,
    first_rule,
    privacy_reason,
    privacy_step,
    shown_name,
    what_is_private,
)
from aicc_hooks.policy.schema import Policy
from aicc_hooks.verdict import Decision, Needs, Tier, Verdict

_TIERS: tuple[Tier, ...] = ("simple", "medium", "complex")
_WORDS = {
    "tools": "tools",
    "vision": "images",
    "audio": "audio",
    "schema": "a JSON schema",
    "context": "a prompt this long",
}


@dataclass(frozen=True, slots=True)
class Experiment:
    """A variant chosen for this request: `label` is experiment:variant, `route` a group or ""."""

    label: str
    route: str = ""
    private_too: bool = False  # every variant is on this machine, so private requests take part


@dataclass(slots=True)
class _Choice:
    route: str
    reason: str
    sentence: str
    order: list[str]  # groups that may stand in before any other local one, nearest first
    stronger: tuple[str, ...] = ()  # groups of higher tiers than the request's


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
    steps: list[str] = []
    private = verdict.privacy.sensitive or verdict.sticky
    steps.append(privacy_step(verdict))
    steps.append(
        f"injection: score {verdict.injection.score:.2f}" + (", flagged" if verdict.injection.flagged else "")
    )
    if verdict.injection.block and policy.routing.block_on_injection:
        rule = first_rule(verdict)
        steps.append("policy blocks injections at this score")
        return Decision(
            reason=f"injection:{rule}", blocked="aicc_blocked_injection", requested=requested, local_only=private, cache=False,
            sentence=f"Refused: the request looks like a prompt injection ({rule}).", steps=tuple(steps),
        )  # fmt: skip
    if needs.mode == "other":
        return Decision(
            route=requested, reason=privacy_reason(verdict) if private else "explicit", requested=requested, local_only=private,
            cache=False, sentence="An extra route of the policy: its model is left alone." + (" On this machine only." if private else ""),
            steps=(*steps, "extra route: model kept"),
        )  # fmt: skip
    if needs.mode != "chat":
        return _keep_model(verdict, catalog, requested, needs, private, steps)
    unknown = _unknown(policy, catalog, requested, verdict)
    if unknown:
        return _refuse("model_not_found", unknown, requested, private, steps)
    choice = _choose(verdict, policy, catalog, requested, private, experiment)
    steps.append(f"rule: {choice.reason} → {choice.route}")
    if private and choice.reason == "explicit:cloud_blocked":
        return _refuse(
            "aicc_private_no_local_model",
            choice.sentence,
            requested,
            True,
            steps,
            reason=privacy_reason(verdict),
        )
    usable = {name: group for name, group in catalog.groups.items() if name not in policy.routing.aliases}
    return _settle(
        choice,
        verdict,
        usable,
        requested,
        needs,
        private,
        frozenset(down),
        experiment,
        steps,
        loaded,
        hurried,
    )


def _choose(
    verdict: Verdict,
    policy: Policy,
    catalog: Catalog,
    requested: str,
    private: bool,
    experiment: Experiment | None,
) -> _Choice:
    routing = policy.routing
    tiers = [getattr(routing, f"{tier}_route") for tier in _TIERS]
    explicit = catalog.groups.get(requested) if requested not in routing.aliases else None
    honoured = explicit is not None and explicit.only_local and routing.explicit_local == "honour"
    if verdict.injection.flagged and not honoured:
        rule = first_rule(verdict)
        return _Choice(
            routing.injection_route, f"injection:{rule}",
            f"Looks like a prompt injection ({rule}), so it goes to {routing.injection_route}.",
            [],
        )  # fmt: skip
    if private and not honoured:
        if explicit is not None and not explicit.local and policy.privacy.cloud == "block":
            sentence = f"Holds {what_is_private(verdict)}, and {requested} is not on this machine; policy privacy.cloud is 'block'."
            return _Choice(requested, "explicit:cloud_blocked", sentence, [])
        if experiment is not None and experiment.private_too and experiment.route:
            sentence = f"Holds {what_is_private(verdict)}, so it stays on this machine; experiment {experiment.label} sends it to {experiment.route}."
            return _Choice(experiment.route, privacy_reason(verdict), sentence, tiers)
        return _Choice(
            routing.privacy_route, privacy_reason(verdict),
            f"Holds {what_is_private(verdict)}, so it stays on this machine with {routing.privacy_route}.",
            tiers,
        )  # fmt: skip
    if (
        experiment is not None
        and experiment.route
        and not (honoured and (private or verdict.injection.flagged))
    ):
        return _Choice(experiment.route, f"experiment:{experiment.label.partition(':')[0]}",
                       f"Experiment {experiment.label} sends it to {experiment.route}.", tiers)  # fmt: skip
    if explicit is not None:
        return _Choice(requested, "explicit", f"The client asked for {requested} by name.", tiers)
    tier = verdict.complexity.tier
    index = _TIERS.index(tier)
    # A stronger model can do a weaker one's work; a weaker one is the last resort.
    order = [*tiers[index + 1 :], *reversed(tiers[:index])]
    why = ", ".join(verdict.complexity.why[:3])
    route = tiers[index]
    return _Choice(
        route,
        f"complexity:{tier}",
        f"A {tier} request{f' ({why})' if why else ''} goes to {route}.",
        order,
        stronger=tuple(tiers[index + 1 :]),
    )


def _settle(
    choice: _Choice, verdict: Verdict, groups: Mapping[str, ModelGroup], requested: str, needs: Needs, private: bool,
    down: frozenset[str], experiment: Experiment | None, steps: list[str], loaded: Collection[str] | None, hurried: str,
) -> Decision:  # fmt: skip
    first = groups.get(choice.route)
    locals_last = [group.name for group in groups.values() if group.only_local]
    names = dict.fromkeys([choice.route, *choice.order, *locals_last])
    candidates = [group for name in names if (group := groups.get(name)) and group.mode == "chat"]
    if first is not None and first.mode != "chat":
        return _refuse("aicc_invalid_request", f"{choice.route} is a model for {first.mode}, not for chat; name a chat model or 'auto'.",
                       requested, private, steps)  # fmt: skip
    reachable = [group for group in candidates if group.local] if private else candidates
    if private and not reachable:
        return _refuse(
            "aicc_private_no_local_model",
            "The request must stay on this machine and no model of config.yaml runs on it; add a local one or list its host in policy local_hosts.",
            requested, True, steps, reason=choice.reason,
        )  # fmt: skip
    able = [g for g in reachable if not g.lacks(needs)]
    if not able:
        others = [] if private else [g for g in groups.values() if g.mode == "chat" and not g.lacks(needs)]
        return _too_much(reachable, others, needs, requested, private, steps)
    alive = [g for g in able if g.name not in down] or able
    chosen, moved = _prefer(choice, verdict, alive, loaded, hurried)
    reason, sentence = choice.reason, choice.sentence
    taken_out = private or verdict.injection.flagged  # such requests would blur the comparison
    if chosen.name != choice.route:
        lack = first.lacks(needs) if first is not None else ""
        if lack:
            steps.append(f"{choice.route} cannot take {_WORDS[lack]} → {chosen.name}")
            sentence += f" {choice.route} cannot take {_WORDS[lack]}, so {chosen.name} answers."
            reason = reason if taken_out else f"capability:{lack}"
        elif moved:
            steps.append(f"{choice.route} → {chosen.name}: {moved}")
            sentence += f" {chosen.name} answers instead: {moved}."
        elif choice.route in down:
            steps.append(f"{choice.route} is down → {chosen.name}")
            sentence += f" {choice.route} is down at the moment, so {chosen.name} answers."
            reason = reason if taken_out else "fallback:upstream_down"
        elif first is None:
            steps.append(f"{choice.route} is not a model of config.yaml → {chosen.name}")
            sentence += f" {choice.route} is not a model of config.yaml, so {chosen.name} answers."
        else:
            steps.append(f"{choice.route} is not on this machine → {chosen.name}")
            sentence += f" {choice.route} is not on this machine, so {chosen.name} answers."
    takes_part = (
        experiment is not None and not verdict.injection.flagged and (not private or experiment.private_too)
    )
    return Decision(
        route=chosen.name, reason=ascii_reason(reason), sentence=sentence, local_only=private, requested=requested,
        cache=not private, variant=experiment.label if experiment and takes_part else "", steps=tuple(steps),
    )  # fmt: skip


def _prefer(
    choice: _Choice, verdict: Verdict, alive: list[ModelGroup], loaded: Collection[str] | None, hurried: str
) -> tuple[ModelGroup, str]:
    """The group to use and why it is not the first one. Only a tier's choice moves, and never to a weaker model for complex work."""
    first = alive[0]
    if not choice.reason.startswith("complexity:") or first.name != choice.route:
        return first, ""
    if hurried and hurried != first.name and verdict.complexity.tier != "complex":
        quick = next((group for group in alive if group.name == hurried), None)
        if quick is not None:
            return quick, "many requests come in, and it is the quick one"
    if loaded is not None and first.name not in loaded:
        ready = next(
            (group for group in alive if group.name in choice.stronger and group.name in loaded), None
        )
        if ready is not None:
            return ready, f"it is loaded, and {first.name} would have to load first"
    return first, ""


def _keep_model(
    verdict: Verdict, catalog: Catalog, requested: str, needs: Needs, private: bool, steps: list[str]
) -> Decision:
    """Embeddings and rerank never change model: another model's vectors would poison an index."""
    group = catalog.groups.get(requested)
    offered = catalog.of_mode(needs.mode)
    if (group is None or group.mode != needs.mode) and requested in ("", "auto") and offered:
        group = next((g for g in offered if g.only_local), offered[0])
    if group is None:
        names = ", ".join(g.name for g in offered) or "none"
        return _refuse(
            "model_not_found",
            f"There is no model {shown_name(requested, verdict)}; models for {needs.mode}: {names}.",
            requested,
            private,
            steps,
        )
    if group.mode != needs.mode:
        names = ", ".join(g.name for g in offered) or "none"
        return _refuse(
            "aicc_invalid_request",
            f"{group.name} is a {group.mode} model; models for {needs.mode}: {names}.",
            requested,
            private,
            steps,
        )
    if private and not group.local:
        return _refuse(
            "aicc_private_no_local_model",
            f"The input holds {what_is_private(verdict)} and {group.name} is not on this machine; use a local model for {needs.mode}.",
            requested, True, steps, reason=privacy_reason(verdict),
        )  # fmt: skip
    if verdict.injection.flagged:
        reason = f"injection:{first_rule(verdict)}"
    else:
        reason = privacy_reason(verdict) if private else "explicit"
    sentence = f"{needs.mode.capitalize()} keeps the model asked for, {group.name}" + (
        ", on this machine only." if private else "."
    )
    return Decision(route=group.name, reason=ascii_reason(reason), sentence=sentence, local_only=private, cache=not private,
                    requested=requested, steps=(*steps, f"{needs.mode} keeps {group.name}"))  # fmt: skip


def _too_much(
    reachable: list[ModelGroup],
    others: list[ModelGroup],
    needs: Needs,
    requested: str,
    private: bool,
    steps: list[str],
) -> Decision:
    where = " on this machine" if private else ""
    if others:
        # Able, but neither local nor a route of the policy: the gateway does not choose it unasked.
        sentence = f"No model the policy may choose can take this request; name {others[0].name}, or make it a route."
        return _refuse(
            "aicc_invalid_request", sentence, requested, private, steps, reason="capability:policy"
        )
    # `lacks` names the context last, so these groups meet every other need.
    short = [g for g in reachable if g.lacks(needs) == "context"]
    if short:
        roomiest = max(short, key=lambda g: g.context)
        return _refuse(
            "aicc_context_too_long",
            f"The prompt is about {needs.tokens} tokens with room for the answer, and the largest model that fits the request{where} "
            f"({roomiest.name}) takes {roomiest.context}; shorten the prompt or configure a model with a longer context.",
            requested, private, steps, reason="capability:context",
        )  # fmt: skip
    if not reachable:
        sentence = "config.yaml has no chat model that the policy may choose; add one."
        return _refuse("model_not_found", sentence, requested, private, steps)
    wanted = {"tools": needs.tools, "vision": needs.vision, "audio": needs.audio, "schema": needs.json_schema}
    able = {
        "tools": [g.tools for g in reachable],
        "vision": [g.vision for g in reachable],
        "audio": [g.audio for g in reachable],
        "schema": [g.json_schema for g in reachable],
    }
    nobody = [lack for lack, wish in wanted.items() if wish and not any(able[lack])]
    missing = nobody or [lack for lack, wish in wanted.items() if wish]
    words = " and ".join(_WORDS[lack] for lack in missing)
    return _refuse(
        "aicc_invalid_request",
        f"No configured model{where} can take {words}{'' if nobody else ' together'}; add one to config.yaml whose model_info says so.",
        requested, private, steps, reason=f"capability:{missing[0]}",
    )  # fmt: skip


def _unknown(policy: Policy, catalog: Catalog, requested: str, verdict: Verdict) -> str:
    if not requested or requested in policy.routing.aliases or requested in catalog.groups:
        return ""
    names = [*policy.routing.aliases[:1], *(n for n in catalog.groups if n not in policy.routing.aliases)]
    near = get_close_matches(requested, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no model {shown_name(requested, verdict)}.{hint} Available: {', '.join(names)}."


def _refuse(
    code: str, sentence: str, requested: str, private: bool, steps: list[str], *, reason: str = ""
) -> Decision:
    return Decision(reason=ascii_reason(reason or f"refused:{code}"), sentence=sentence, blocked=code, requested=requested,
                    local_only=private, cache=False, steps=(*steps, f"refused: {code}"))  # fmt: skip
