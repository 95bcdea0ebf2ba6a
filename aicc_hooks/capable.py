"""Hard constraints on a choice: locality, tools, images, schema, context, open breakers, what is loaded.

They move a choice to the nearest group that can take the request, or refuse it with what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from aicc_hooks.catalog import ModelGroup
from aicc_hooks.decision_words import ascii_reason
from aicc_hooks.verdict import Decision, Needs, Verdict

_WORDS = {
    "tools": "tools",
    "vision": "images",
    "audio": "audio",
    "files": "files",
    "links": "pictures by their address",
    "schema": "a JSON schema",
    "context": "a prompt this long",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as the rules see it. `steps` gathers what each rule said."""

    verdict: Verdict
    requested: str
    needs: Needs
    private: bool
    steps: list[str] = field(default_factory=list)

    def decision(
        self, reason: str, sentence: str, *, route: str = "", blocked: str = "", cache: bool = False
    ) -> Decision:
        """The end of the rules: everything said so far, and this."""
        return Decision(
            route=route, reason=ascii_reason(reason), sentence=sentence, blocked=blocked, local_only=self.private,
            cache=cache, requested=self.requested, steps=tuple(self.steps),
        )  # fmt: skip

    def refuse(self, code: str, sentence: str, reason: str = "") -> Decision:
        """Refused with an error code of the contract."""
        self.steps.append(f"refused: {code}")
        return self.decision(reason or f"refused:{code}", sentence, blocked=code)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rules chose, before anybody asked whether it can."""

    route: str
    reason: str
    sentence: str
    order: Collection[str] = ()  # groups that may stand in before any other local one, nearest first
    stronger: tuple[str, ...] = ()  # groups of higher tiers than the request's


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is true of the model servers right now; see `decide`."""

    down: frozenset[str] = frozenset()
    loaded: Collection[str] | None = None
    hurried: str = ""


def settle(ask: Ask, choice: Choice, groups: Mapping[str, ModelGroup], now: Conditions) -> Decision:
    """The choice, or the nearest group of its order that can take the request."""
    first = groups.get(choice.route)
    if first is not None and first.mode != "chat":
        sentence = f"{choice.route} is a model for {first.mode}, not for chat; name a chat model or 'auto'."
        return ask.refuse("aicc_invalid_request", sentence)
    locals_last = [group.name for group in groups.values() if group.only_local]
    names = dict.fromkeys([choice.route, *choice.order, *locals_last])
    candidates = [group for name in names if (group := groups.get(name)) and group.mode == "chat"]
    reachable = [group for group in candidates if group.local] if ask.private else candidates
    if ask.private and not reachable:
        sentence = "The request must stay on this machine and no model of config.yaml runs on it; add a local one or list its host in policy local_hosts."
        return ask.refuse("aicc_private_no_local_model", sentence, choice.reason)
    able = [g for g in reachable if not g.lacks(ask.needs)]
    if not able:
        others = (
            [] if ask.private else [g for g in groups.values() if g.mode == "chat" and not g.lacks(ask.needs)]
        )
        return _too_much(ask, reachable, others)
    alive = [g for g in able if g.name not in now.down] or able
    chosen, why = _prefer(ask, choice, alive, now)
    reason, sentence = choice.reason, choice.sentence
    if chosen.name != choice.route:
        kind = ""
        if why:
            ask.steps.append(f"{choice.route} → {chosen.name}: {why}")
            sentence += f" {chosen.name} answers instead: {why}."
        else:
            obstacle, kind = _obstacle(ask, choice, first, now)
            ask.steps.append(f"{obstacle} → {chosen.name}")
            sentence += f" {obstacle}, so {chosen.name} answers."
        if kind and not ask.private and not ask.verdict.injection.flagged:
            reason = kind
    return ask.decision(reason, sentence, route=chosen.name, cache=not ask.private)


def _obstacle(ask: Ask, choice: Choice, first: ModelGroup | None, now: Conditions) -> tuple[str, str]:
    """Why the choice itself cannot be taken: for people, and the reason of the header ("": the rule's stays)."""
    if first is None:
        return f"{choice.route} is not a model of config.yaml", ""
    if lack := first.lacks(ask.needs):
        return f"{choice.route} cannot take {_WORDS[lack]}", f"capability:{lack}"
    if choice.route in now.down:
        return f"{choice.route} is down at the moment", "fallback:upstream_down"
    return f"{choice.route} is not on this machine", ""


def _prefer(ask: Ask, choice: Choice, alive: list[ModelGroup], now: Conditions) -> tuple[ModelGroup, str]:
    """The group to use and why it is not the first one. Only a tier's choice moves, and never to a weaker model for complex work."""
    first = alive[0]
    if not choice.reason.startswith("complexity:") or first.name != choice.route:
        return first, ""
    if now.hurried and now.hurried != first.name and ask.verdict.complexity.tier != "complex":
        quick = next((group for group in alive if group.name == now.hurried), None)
        if quick is not None:
            return quick, "many requests come in, and it is the quick one"
    if now.loaded is not None and first.name not in now.loaded:
        ready = (group for group in alive if group.name in choice.stronger and group.name in now.loaded)
        if (group := next(ready, None)) is not None:
            return group, f"it is loaded, and {first.name} would have to load first"
    return first, ""


def _too_much(ask: Ask, reachable: list[ModelGroup], others: list[ModelGroup]) -> Decision:
    """No group can: what is missing, and what to do."""
    needs, where = ask.needs, " on this machine" if ask.private else ""
    if needs.links and any(not group.lacks(replace(needs, links=False)) for group in reachable):
        sentence = "This gateway's local models fetch no pictures; send a data URL (data:image/png;base64,…)."
        return ask.refuse("aicc_invalid_request", sentence, "capability:links")
    if others:
        # Able, but neither local nor a route of the policy: the gateway does not choose it unasked.
        sentence = f"No model the policy may choose can take this request; name {others[0].name}, or make it a route."
        return ask.refuse("aicc_invalid_request", sentence, "capability:policy")
    # `lacks` names the context last, so these groups meet every other need.
    short = [g for g in reachable if g.lacks(needs) == "context"]
    if short:
        roomiest = max(short, key=lambda g: g.context)
        sentence = (
            f"The prompt is about {needs.tokens} tokens with room for the answer, and the largest model that fits the request{where} "
            f"({roomiest.name}) takes {roomiest.context}; shorten the prompt or configure a model with a longer context."
        )
        return ask.refuse("aicc_context_too_long", sentence, "capability:context")
    if not reachable:
        sentence = "config.yaml has no chat model that the policy may choose; add one."
        return ask.refuse("model_not_found", sentence)
    wanted = {
        "tools": needs.tools,
        "vision": needs.vision,
        "audio": needs.audio,
        "files": needs.files,
        "schema": needs.json_schema,
    }
    able = {
        "tools": [g.tools for g in reachable],
        "vision": [g.vision for g in reachable],
        "audio": [g.audio for g in reachable],
        "files": [g.files for g in reachable],
        "schema": [g.json_schema for g in reachable],
    }
    nobody = [lack for lack, wish in wanted.items() if wish and not any(able[lack])]
    missing = nobody or [lack for lack, wish in wanted.items() if wish]
    words = " and ".join(_WORDS[lack] for lack in missing)
    together = "" if nobody else " together"
    sentence = f"No configured model{where} can take {words}{together}; add one to config.yaml whose model_info says so."
    return ask.refuse("aicc_invalid_request", sentence, f"capability:{missing[0]}")
