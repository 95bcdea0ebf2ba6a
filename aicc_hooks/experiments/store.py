"""experiments.yaml in force: hot reload, the last good file kept, no request ever failed by it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.apply import Assignment
from aicc_hooks.experiments.assignment import Dealt, Facts, choose
from aicc_hooks.experiments.load import Offered, read_experiments, switched_off
from aicc_hooks.experiments.prompts import PromptCache
from aicc_hooks.experiments.schema import PLACE, Experiments
from aicc_hooks.file_stamp import file_stamp

_TOLD_S = 600.0  # a request without its variant is told in health this long; the count stays


class ExperimentStore:
    """Holds the experiments in force. `poll()` is one stat; `assign` never raises and never blocks."""

    def __init__(
        self,
        path: Path | None,
        *,
        offered: Callable[[], Offered | None] | None = None,
        prompts: PromptCache | None = None,
    ) -> None:
        """`offered`: what the file may name; while it answers None the file waits, for nobody can check it."""
        self.path = path
        self.prompts = prompts or PromptCache(None)
        self.current = Experiments()
        self.error = ""
        self.failures = 0  # assignments and variants that broke; the requests went on without
        self._failed_at = -math.inf
        self._offered = offered
        self._seen: tuple[tuple[int, int, int] | None, Offered | None] | None = None
        self._lock = threading.Lock()
        self.poll()

    def poll(self) -> bool:
        """Reload when the file changed, or what it may name. True when other experiments came into force."""
        with self._lock:
            offered = self._offered() if self._offered else None
            stamp = file_stamp(self.path) if self.path is not None else None
            seen = (stamp, offered)
            if seen == self._seen or (self._offered is not None and offered is None):
                return False
            self._seen = seen
            try:
                found = read_experiments(self.path, offered) if self.path is not None else Experiments()
            except GatewayConfigError as error:
                self.error = str(error)
                return self._switch_off()
            self.error = ""
            changed, self.current = found != self.current, found
            self.prompts.want(
                {prompt for e in found.experiments for prompt in e.prompts}, every_s=found.prompt_cache_ttl_s
            )
            return changed

    def _switch_off(self) -> bool:
        """Whoever turns the switch means it, whatever else is wrong in the file. On again only by a file that is right."""
        every, names = switched_off(self.path)
        if every or names.intersection(e.name for e in self.current.experiments):
            self.error += "; its `enabled: false` is in force all the same"
        found = self.current.switched_off(names, every=every)
        changed, self.current = found != self.current, found
        return changed

    def assign(self, facts: Facts) -> Assignment | None:
        """The variant of a request, or None when it is in no experiment."""
        current = self.current
        if not current.experiments:
            return None
        try:
            offered = self._offered() if self._offered else None
            available = (
                set(offered.chat)
                if offered is not None
                else {m for e in current.experiments for m in e.models}
            )
            found = choose(current, facts, available)
            return None if found is None else self._assignment(found)
        except Exception:
            self.failed()
            return None

    def failed(self) -> None:
        """Count a request that went on without its variant."""
        self.failures += 1
        self._failed_at = time.monotonic()

    def problems(self) -> dict[str, str]:
        """What is wrong now, for health: name → sentence."""
        found = {f"prompt.{address}": why for address, why in dict(self.prompts.errors).items()}
        for prompt in (p for e in self.current.experiments for p in e.templates):
            have = self.prompts.get(prompt)
            if have.version and not PLACE.search(have.text):
                found.setdefault(
                    f"prompt.{prompt.address}",
                    f"version {have.version} has no {{{{system}}}}: as a template it leaves out the client's own system prompt",
                )
        if self.error:
            found["experiments"] = self.error
        if time.monotonic() - self._failed_at < _TOLD_S:
            found["experiment_failures"] = (
                f"{self.failures} requests were answered without their variant, which could not be assigned or applied, or which no model could take"
            )
        return found

    def _assignment(self, dealt: Dealt) -> Assignment:
        experiment, variant = dealt.experiment, dealt.variant
        text, name, version = None, "", 0
        if variant.system is not None:
            text = variant.system.text
            if variant.system.langfuse is not None:
                prompt = self.prompts.get(variant.system.langfuse)
                text, name, version = prompt.text, variant.system.langfuse.name, prompt.version
        return Assignment(
            experiment.name, variant.name, variant.model, variant.system.mode if variant.system else "prepend", text,
            tuple(sorted(variant.parameters.items())), name, version, experiment.content(variant), dealt.unit,
        )  # fmt: skip
