"""The models that `resilience` names: by the server's name, the same without its tag, or a model group of config.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

from aicc_hooks.catalog import Catalog, Deployment
from aicc_hooks.resilience.config import ResilienceConfig, WarmUp
from aicc_hooks.resilience.ollama_models import same_model

T = TypeVar("T")


def settle(config: ResilienceConfig, catalog: Catalog) -> tuple[ResilienceConfig, tuple[str, ...]]:
    """The section with each model under the name its server has for it, and what is no model of config.yaml, for people.

    With an empty catalog, nothing is known yet and nothing changes.
    """
    if not catalog.groups:
        return config, ()
    names = _Names(catalog)
    limits, context, cold, quick = config.limits, config.context, config.cold_start, config.high_qps
    settled = config.model_copy(
        update={
            "limits": limits.model_copy(update={"models": names.by_server("limits.models", limits.models)}),
            "context": context.model_copy(
                update={"models": names.by_server("context.models", context.models)}
            ),
            "cold_start": cold.model_copy(
                update={
                    "keep_alive": names.by_server("cold_start.keep_alive", cold.keep_alive),
                    "warm_up": names.to_load("cold_start.warm_up", cold.warm_up),
                }
            ),
            "high_qps": quick.model_copy(
                update={"model": names.group("high_qps.model", quick.model) if quick.enabled else quick.model}
            ),
        }
    )
    return settled, tuple(names.unknown)


class _Names:
    def __init__(self, catalog: Catalog) -> None:
        self.unknown: list[str] = []
        self._groups = catalog.groups
        self._deployments = [d for group in catalog.groups.values() for d in group.deployments]

    def by_server(self, field: str, given: Mapping[str, T]) -> dict[str, T]:
        """A model's own entry stands over its group's."""
        found: dict[str, T] = {}
        for word, value in sorted(given.items(), key=lambda pair: self._own(pair[0]) != []):
            found |= {d.name: value for d in self._meant(field, word)} or {word: value}
        return found

    def to_load(self, field: str, rules: Sequence[WarmUp]) -> tuple[WarmUp, ...]:
        """Of Ollama alone: the models of other servers are in memory anyway."""
        found: list[WarmUp] = []
        for rule in rules:
            meant = self._meant(field, rule.model)
            here = dict.fromkeys(d.name for d in meant if d.ollama)
            if meant and not here:
                self.unknown.append(f"resilience.{field}: {rule.model!r} is not served by Ollama")
            found += [rule.model_copy(update={"model": name}) for name in here]
        return tuple(found)

    def group(self, field: str, word: str) -> str:
        """The group that is meant; the word itself where there is none."""
        if word in self._groups:
            return word
        meant = self._meant(field, word)
        return next(
            (name for name, group in self._groups.items() if set(meant) & set(group.deployments)), word
        )

    def _own(self, word: str) -> list[Deployment]:
        return [d for d in self._deployments if same_model(d.name, word)]

    def _meant(self, field: str, word: str) -> list[Deployment]:
        group = self._groups.get(word)
        meant = self._own(word) or (list(group.deployments) if group is not None else [])
        if not meant and not any("*" in d.name for d in self._deployments):  # LiteLLM's wildcards take any
            known = sorted({*self._groups, *(d.name for d in self._deployments)})
            close = get_close_matches(word, known, 1)
            like = f"; did you mean {close[0]!r}?" if close else ""
            self.unknown.append(f"resilience.{field}: {word!r} is no model of config.yaml{like}")
        return meant
