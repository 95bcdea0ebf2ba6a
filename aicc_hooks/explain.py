"""A verdict and a decision as JSON and as lines for a person; shared by the CLI, the HTTP route and the page."""

from __future__ import annotations

from collections import Counter
from typing import Any

from aicc_hooks.payload import Extract
from aicc_hooks.verdict import Decision, Verdict


def as_dict(verdict: Verdict, decision: Decision, extract: Extract | None = None) -> dict[str, Any]:
    """JSON-able. Findings carry offsets and paths, never values."""
    segments = extract.segments if extract else []
    return {
        "sentence": decision.sentence,
        "decision": {
            "route": decision.route,
            "reason": decision.reason,
            # A name nobody knows may be pasted text.
            "requested": decision.requested if decision.route else "",
            "blocked": bool(decision.blocked),
            "code": decision.blocked or None,
            "local_only": decision.local_only,
            "cache": decision.cache,
            "variant": decision.variant or None,
            "steps": list(decision.steps),
        },
        "verdict": {
            "privacy": {
                "sensitive": verdict.privacy.sensitive,
                "failed": verdict.privacy.failed,
                "types": list(verdict.privacy.types),
                "findings": [
                    {
                        "type": f.type,
                        "action": f.action,
                        "where": segments[f.segment].path if f.segment < len(segments) else "",
                        "start": f.start,
                        "end": f.end,
                    }
                    for f in verdict.privacy.findings
                ],
            },
            "injection": {
                "score": round(verdict.injection.score, 4),
                "flagged": verdict.injection.flagged,
                "rules": list(verdict.injection.rules),
                "where": segments[verdict.injection.segment].path
                if 0 <= verdict.injection.segment < len(segments)
                else None,
            },
            "complexity": {
                "tier": verdict.complexity.tier,
                "score": round(verdict.complexity.score, 4),
                "why": list(verdict.complexity.why),
                "ask_tokens": verdict.complexity.ask_tokens,
                "continuation": verdict.complexity.continuation,
            },
            "tokens": verdict.tokens,
        },
    }


def as_lines(verdict: Verdict, decision: Decision) -> list[str]:
    """What `aicc explain` prints."""
    counts = Counter(f.type for f in verdict.privacy.findings)
    found = ", ".join(f"{name} ×{n}" if n > 1 else name for name, n in sorted(counts.items())) or "clean"
    why = ", ".join(verdict.complexity.why)
    return [
        decision.sentence,
        "",
        f"route       {decision.route or '-'}",
        f"reason      {decision.reason}",
        f"privacy     {found}{' (stays on this machine)' if decision.local_only else ''}",
        f"injection   {verdict.injection.score:.2f}{' flagged: ' + ', '.join(verdict.injection.rules) if verdict.injection.flagged else ''}",
        f"complexity  {verdict.complexity.tier} ({verdict.complexity.score:.2f}){': ' + why if why else ''}",
        "",
        *(f"  {number}. {step}" for number, step in enumerate(decision.steps, 1)),
    ]
