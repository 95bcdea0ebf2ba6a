"""One record told as steps: what happened to a request and why, for the detail view."""

from __future__ import annotations

from typing import Any

from aicc_hooks.record.model import Record

_CAUSES = {
    "privacy": "a private value was found, so only a model on this machine may answer",
    "injection": "the text looks like a prompt injection",
    "experiment": "an experiment assigned this variant",
    "explicit": "the client named this model",
    "complexity": "of how demanding the question is",
    "capability": "the request needs something the first choice cannot do",
    "fallback": "the first choice did not answer",
}


def steps(record: Record) -> list[dict[str, str]]:
    """In the order of the pipeline: `title`, `text`, and `tone` (plain, good, warn, bad)."""
    return [
        _arrived(record),
        _privacy(record),
        _injection(record),
        _complexity(record),
        _decision(record),
        _cache(record),
        *([] if record.cache in ("exact", "semantic") else [_model(record)]),
        _answer(record),
    ]


def timing(record: Record) -> list[dict[str, Any]]:
    """Parts of the total in order, in milliseconds; `rest` is LiteLLM and the network."""
    parts = [
        ("gate", record.gate_ms),
        ("hooks", record.hooks_ms),
        ("cache", record.cache_ms),
        ("model", record.upstream_ms),
    ]
    known = [(name, ms) for name, ms in parts if ms is not None]
    if record.total_ms is not None:
        known.append(("rest", max(0.0, record.total_ms - sum(ms for _, ms in known))))
    return [{"name": name, "ms": ms} for name, ms in known]


def detail(record: Record, feedback: dict[str, Any] | None = None) -> dict[str, Any]:
    """Everything the detail view shows. Texts are as redacted when written."""
    return {
        "record": record.to_dict(),
        "steps": steps(record),
        "timing": timing(record),
        "feedback": feedback,
    }


def _step(title: str, text: str, tone: str = "plain") -> dict[str, str]:
    return {"title": title, "text": text, "tone": tone}


def _arrived(record: Record) -> dict[str, str]:
    who = {"": "A client", "none": "A client", "other": "A client"}.get(record.client, record.client)
    model = f"model {record.requested}" if record.requested else "no model"
    streaming = ", streaming" if record.stream else ""
    return _step("Arrived", f"{who} asked {record.endpoint or 'an endpoint'} for {model}{streaming}.")


def _privacy(record: Record) -> dict[str, str]:
    if not record.privacy:
        return _step("Privacy", "Nothing private was found.")
    counts = record.privacy_counts
    found = ", ".join(
        f"{name} ×{counts[name]}" if counts.get(name, 1) > 1 else name for name in record.privacy
    )
    if record.local_only:
        return _step(
            "Privacy", f"Found {found}. The request stays on this machine and is not cached.", "warn"
        )
    return _step(
        "Privacy",
        f"Found {found}. It is hidden in everything written down; the route is not affected.",
        "good",
    )


def _injection(record: Record) -> dict[str, str]:
    score = f"score {record.injection:.2f}"
    rules = f"; rules: {', '.join(record.injection_rules)}" if record.injection_rules else ""
    if record.error == "aicc_blocked_injection":
        return _step("Injection", f"Blocked ({score}{rules}).", "bad")
    if record.reason.startswith("injection"):
        return _step("Injection", f"Flagged ({score}{rules}).", "warn")
    return _step("Injection", f"Not flagged ({score}{rules}).")


def _complexity(record: Record) -> dict[str, str]:
    return _step("Complexity", f"The question is {record.tier}." if record.tier else "Not judged.")


def _decision(record: Record) -> dict[str, str]:
    if not record.route:
        return _step(
            "Decision", record.sentence or "No model was chosen.", "bad" if record.failed else "plain"
        )
    kind = record.reason.split(":", 1)[0]
    sentence = record.sentence or f"Route {record.route}: {_CAUSES.get(kind, record.reason)}."
    note = " Private in an earlier turn of this session." if record.sticky else ""
    version = f"version {record.prompt_version}" if record.prompt_version else "its fallback text"
    prompt = f" with prompt {record.prompt_name}, {version}" if record.prompt_name else ""
    taken = f" Experiment {record.variant}{prompt}." if record.variant else ""
    return _step("Decision", f"{sentence}{note}{taken} ({record.route}, {record.reason})", "good")


def _cache(record: Record) -> dict[str, str]:
    age = f", stored {_seconds(record.cache_age_s)} ago" if record.cache_age_s is not None else ""
    if record.cache == "exact":
        return _step("Cache", f"The same request was answered before{age}.", "good")
    if record.cache == "semantic":
        near = f" (similarity {record.cache_similarity:.3f})" if record.cache_similarity is not None else ""
        return _step("Cache", f"A request of the same meaning was answered before{near}{age}.", "good")
    if record.cache == "bypass":
        return _step("Cache", "Not asked and nothing kept: private, or the request forbids it.")
    return _step("Cache", "No stored answer fits." if record.cache == "miss" else "Not asked.")


def _model(record: Record) -> dict[str, str]:
    failed = "".join(f" {a.deployment} failed ({a.error})." for a in record.attempts)
    if not record.deployment:
        return _step("Model", f"No model was asked.{failed}", "bad" if failed else "plain")
    cold = " It had to be loaded first." if record.cold_start else ""
    took = f" in {_ms(record.upstream_ms)}" if record.upstream_ms is not None else ""
    word = "was asked" if record.failed else "answered"
    return _step(
        "Model", f"{record.deployment} {word}{took}.{cold}{failed}", "warn" if failed or cold else "plain"
    )


def _answer(record: Record) -> dict[str, str]:
    tokens = f"{record.prompt_tokens} tokens in, {record.completion_tokens} out"
    first = f", first byte after {_ms(record.first_token_ms)}" if record.first_token_ms is not None else ""
    if record.status == 499:
        return _step("Answer", f"The client went away after {_ms(record.total_ms)}.", "warn")
    if record.failed:
        why = f" {record.error_text}" if record.error_text else ""
        return _step(
            "Answer",
            f"Status {record.status}, {record.error or 'error'}, after {_ms(record.total_ms)}.{why}",
            "bad",
        )
    return _step("Answer", f"Status {record.status} after {_ms(record.total_ms)}{first}; {tokens}.", "good")


def _ms(value: float | None) -> str:
    if value is None:
        return "an unknown time"
    return f"{value:.0f} ms" if value < 1_000 else f"{value / 1_000:.1f} s"


def _seconds(value: float | None) -> str:
    value = value or 0.0
    return (
        f"{value:.0f} s"
        if value < 120
        else f"{value / 60:.0f} min"
        if value < 7_200
        else f"{value / 3600:.1f} h"
    )
