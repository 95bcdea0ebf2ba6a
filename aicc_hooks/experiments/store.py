"""experiments.yaml in force: hot reload, the last good file kept, no request ever failed by it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.apply import Assignment
from aicc_hooks.experiments.assignment import Facts, choose
from aicc_hooks.experiments.prompts import PromptCache
from aicc_hooks.experiments.schema import ExperimentConfig, Experiments, Variant


def parse_experiments(
    text: str, *, source: str = "experiments.yaml", groups: Iterable[str] | None = None
) -> Experiments:
    """Parse and check the file. `groups`: model groups of config.yaml. Raises GatewayConfigError naming the field."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise GatewayConfigError(
            f"{source}: not valid YAML{where}: {getattr(error, 'problem', None) or 'syntax error'}"
        ) from None
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise GatewayConfigError(
            f"{source}: the file must be a mapping with `experiments`, found {type(tree).__name__}"
        )
    try:
        found = Experiments.model_validate(tree)
    except ValidationError as error:
        raise GatewayConfigError(
            f"{source}: " + "; ".join(_explain(item, tree) for item in _causes(error.errors())[:8])
        ) from None
    if groups is not None:
        _check_models(found, sorted(set(groups)), source)
    return found


def _causes(errors: Sequence[Any]) -> list[Any]:
    """Without what only follows from another: a list of variants is too short because one of them is wrong."""
    places = [tuple(item["loc"]) for item in errors]
    return [
        item
        for item, place in zip(errors, places, strict=True)
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


def _explain(item: Any, tree: Mapping[str, Any]) -> str:
    field = _named(item["loc"], tree) or "file"
    if item["type"] == "extra_forbidden":
        return f"{field}: unknown key"
    said = str(item["msg"]).removeprefix("Value error, ")
    # YAML has lists; tuples are how we keep them.
    return f"{field}: {said.replace('valid tuple', 'list').replace('Tuple', 'The list').replace(' after validation', '')}"


def _named(place: Sequence[Any], tree: Any) -> str:
    """`experiments.0.variants.1.weight` as people call it: experiments.brief-answers.variants.brief.weight."""
    words = []
    for part in place:
        try:
            tree = tree[part]
        except (LookupError, TypeError):
            tree = None
        named = isinstance(part, int) and isinstance(tree, Mapping) and isinstance(tree.get("name"), str)
        words.append(tree["name"][:48] if named else str(part))
    return ".".join(words)


def _check_models(found: Experiments, groups: list[str], source: str) -> None:
    for experiment in found.experiments:
        for variant in experiment.variants:
            if variant.model and variant.model not in groups:
                near = get_close_matches(variant.model, groups, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                raise GatewayConfigError(
                    f"{source}: {experiment.name}.{variant.name}.model: found {variant.model!r}, which config.yaml does not have"
                    f"{hint}; allowed: {', '.join(groups)}"
                )


class ExperimentStore:
    """Holds the experiments in force. `poll()` is one stat; `assign` never raises and never blocks."""

    def __init__(
        self,
        path: Path | None,
        *,
        groups: Callable[[], Iterable[str] | None] | None = None,
        prompts: PromptCache | None = None,
    ) -> None:
        self.path = path
        self.prompts = prompts or PromptCache(None)
        self.current = Experiments()
        self.error = ""
        self.failures = 0  # assignments that broke; the requests went on without
        self._groups = groups
        self._stamp: tuple[int, int, int] | None = None
        self._lock = threading.Lock()
        self.poll(force=True)

    def poll(self, *, force: bool = False) -> bool:
        """Reload a changed file. True when other experiments came into force."""
        with self._lock:
            stamp = self._read_stamp()
            if not force and stamp == self._stamp:
                return False
            self._stamp = stamp
            groups = self._groups() if self._groups else None
            try:
                text = (
                    self.path.read_text(encoding="utf-8")
                    if self.path is not None and stamp is not None
                    else ""
                )
                found = parse_experiments(
                    text, source=self.path.name if self.path else "experiments.yaml", groups=groups
                )
            except (OSError, UnicodeDecodeError) as error:
                self.error = f"experiments.yaml: cannot be read ({type(error).__name__})"
                return False
            except GatewayConfigError as error:
                self.error = str(error)
                return False
            self.error = ""
            changed, self.current = found != self.current, found
            self.prompts.want(
                {prompt for e in found.experiments for prompt in e.prompts}, every_s=found.prompt_cache_ttl_s
            )
            return changed

    def assign(self, facts: Facts) -> Assignment | None:
        """The variant of a request, or None when it is in no experiment."""
        current = self.current
        if not current.experiments:
            return None
        try:
            groups = self._groups() if self._groups else None
            available = (
                set(groups) if groups is not None else {m for e in current.experiments for m in e.models}
            )
            found = choose(current, facts, available)
            return None if found is None else self._assignment(*found)
        except Exception:
            self.failures += 1
            return None

    def _assignment(self, experiment: ExperimentConfig, variant: Variant) -> Assignment:
        text, name, version = None, "", 0
        if variant.system is not None:
            text = variant.system.text
            if variant.system.langfuse is not None:
                prompt = self.prompts.get(variant.system.langfuse)
                text, name, version = prompt.text, variant.system.langfuse.name, prompt.version
        return Assignment(
            experiment.name, variant.name, variant.model, variant.system.mode if variant.system else "prepend", text,
            tuple(sorted(variant.parameters.items())), name, version,
        )  # fmt: skip

    def _read_stamp(self) -> tuple[int, int, int] | None:
        if self.path is None:
            return None
        try:
            status = self.path.stat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino)
