"""Policy section `alerts`: the rules, when each fires and clears, and who is told."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

RuleName = Literal[
    "error_rate",
    "slow_p95",
    "cache_hit_rate",
    "dependency_down",
    "breaker_open",
    "spool_backlog",
    "spool_drops",
    "spool_failing",
    "disk_low",
    "privacy_failing",
    "injection_failing",
    "complexity_failing",
    "selftest_failing",
    "trace_coverage",
]
Severity = Literal["critical", "warning", "info"]
_Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Rule(BaseModel):
    """One rule, complete. `above` says which side is bad; between `threshold` and `clear` nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool = True
    severity: Severity = "warning"
    above: bool = True  # bad above the threshold; False: bad below it
    threshold: float = 0.0
    clear: float = 0.0
    window_s: _Seconds = 600.0
    min_sample: Annotated[int, Field(ge=0)] = 0  # fewer: too little to judge by
    for_s: _Seconds = 0.0  # bad for so long before it fires
    clear_for_s: _Seconds = 60.0  # good for so long before it recovers
    ignore: tuple[str, ...] = ()  # subjects left out, e.g. [langfuse]
    unit: str = ""
    what: str = ""
    help: str = ""  # what to do about it

    def breached(self, value: float) -> bool:
        """On the bad side of the threshold."""
        return value > self.threshold if self.above else value < self.threshold

    def cleared(self, value: float) -> bool:
        """On the good side of `clear`."""
        return value <= self.clear if self.above else value >= self.clear


class RuleChange(BaseModel):
    """What policy.yaml says about a rule; a field left out keeps the default of that rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool | None = None
    severity: Severity | None = None
    threshold: float | None = None
    clear: float | None = None
    window_s: Annotated[float, Field(ge=10, le=86_400)] | None = None
    min_sample: Annotated[int, Field(ge=0)] | None = None
    for_s: _Seconds | None = None
    clear_for_s: _Seconds | None = None
    ignore: tuple[str, ...] | None = None
    help: Annotated[str, Field(max_length=500)] | None = None


class WebhookConfig(BaseModel):
    """JSON to a URL. The URL may hold a token, so it is never shown; AICC_ALERT_WEBHOOK sets it too."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$", max_length=2_000)] = ""
    timeout_s: Annotated[float, Field(gt=0, le=10)] = 3.0


class AlertsConfig(BaseModel):
    """The section."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool = True
    every_s: Annotated[float, Field(ge=1, le=3_600)] = 15.0
    remind_s: Annotated[float, Field(ge=0, le=604_800)] = 14_400.0  # told again while it lasts; 0: never
    log: bool = True
    macos: Literal["auto", "off"] = "auto"  # a notification, on macOS only
    webhook: WebhookConfig = WebhookConfig()
    rules: dict[RuleName, RuleChange] = Field(default_factory=dict)

    def rule(self, name: RuleName) -> Rule:
        """The rule in force: defaults with the policy's changes."""
        default = DEFAULTS[name]
        change = self.rules.get(name)
        if change is None:
            return default
        values = change.model_dump(exclude_none=True)
        if "threshold" in values and "clear" not in values:
            # The default distance moves along: a raised threshold with the old `clear` would flap or never clear.
            ratio = default.clear / default.threshold if default.threshold else 1.0
            values["clear"] = values["threshold"] * ratio
        return default.model_copy(update=values)


DEFAULTS: Final[dict[RuleName, Rule]] = {
    "error_rate": Rule(
        severity="critical", threshold=0.05, clear=0.03, window_s=600, min_sample=20, unit="share",
        what="Requests fail through a fault of the gateway or a model (5xx, 429)",
        help="Look at the failed requests on the status page; the error code says which part failed. `aicc doctor` checks "
             "Ollama and the models.",
    ),
    "slow_p95": Rule(
        threshold=10_000, clear=8_000, window_s=900, min_sample=20, unit="ms",
        what="The slowest 5 % of requests take too long",
        help="Many cold starts: set keep_alive or warm_up in the policy. Otherwise fewer parallel requests, a smaller model "
             "for that tier, or a shorter context.",
    ),
    "cache_hit_rate": Rule(
        severity="info", above=False, threshold=0.05, clear=0.08, window_s=3_600, min_sample=100, unit="share",
        what="The cache answers almost nothing",
        help="Prompts that hold a time or an id never repeat; private ones bypass the cache on purpose. `aicc cache stats` shows "
             "why answers are not kept.",
    ),
    "dependency_down": Rule(
        severity="critical", threshold=0.5, clear=0.5, for_s=30, clear_for_s=20,
        what="A service the gateway uses does not answer",
        help="Start it: `ollama serve`, `brew services start redis`, `aicc langfuse up`. `aicc doctor` says more. "
             "Without Redis and Langfuse requests go on and traces wait in the spool.",
    ),
    "breaker_open": Rule(
        threshold=0.5, clear=0.5, for_s=15, clear_for_s=15,
        what="A model or its address failed so often that it gets no requests now",
        help="It is tried again by itself. If it lasts: `ollama ps`, its log, and free memory.",
    ),
    "spool_backlog": Rule(
        threshold=10_000, clear=5_000, for_s=60, unit="records",
        what="Many records wait for delivery to Langfuse or for the disk",
        help="`aicc traces status` says what Langfuse answers; `aicc traces flush` tries at once.",
    ),
    "spool_drops": Rule(
        severity="critical", threshold=0, clear=0, window_s=600, unit="records",
        what="Records were lost: the queue was full or they could not be written",
        help="Check free disk space and that usage.db can be written; a larger record.queue_size bridges a slow disk.",
    ),
    "spool_failing": Rule(
        severity="critical", threshold=0.5, clear=0.5, for_s=10, clear_for_s=20,
        what="Records cannot be written to usage.db; requests go on, records wait in memory",
        help="Free some space, make usage.db and its folder writable, then wait: what waits is written by itself. "
             "`aicc doctor` says more.",
    ),
    "disk_low": Rule(
        severity="critical", above=False, threshold=500, clear=1_000, unit="MB",
        what="Little space is left where records and logs live",
        help="Free some space, or lower record.max_bytes and record.retention_days.",
    ),
    "privacy_failing": Rule(
        severity="critical", threshold=0, clear=0, window_s=600, unit="failures",
        what="The privacy check failed on requests; they were kept on this machine",
        help="gateway.jsonl names the requests. A pattern of your own in privacy.pii_regexes may be too slow: try `aicc scan`.",
    ),
    "injection_failing": Rule(
        severity="critical", threshold=0, clear=0, window_s=600, unit="failures",
        what="The injection check failed on requests; they were let through unchecked",
        help="gateway.jsonl names the requests. Usually a damaged installation: install the package again, then restart.",
    ),
    "complexity_failing": Rule(
        threshold=0, clear=0, window_s=600, unit="failures",
        what="The complexity check failed on requests; they went to the default tier",
        help="gateway.jsonl names the requests. `complexity.classifier: rules` in policy.yaml does without the model.",
    ),
    "selftest_failing": Rule(
        severity="critical", threshold=0, clear=0, unit="problems",
        what="A self-test of the gateway's place inside LiteLLM fails",
        help="Usually a LiteLLM version this release was not tested with: install the versions of requirements.lock.",
    ),
    "trace_coverage": Rule(
        above=False, threshold=0.95, clear=0.97, window_s=3_600, min_sample=20, unit="share",
        what="Too many requests leave no trace",
        help="`aicc traces status` shows dropped, refused and expired records.",
    ),
}  # fmt: skip
