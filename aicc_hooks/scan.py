"""One line of `aicc scan`: a JSON object in, the contract's JSON object out. Same detectors as the hooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from aicc_hooks.catalog import Catalog
from aicc_hooks.decide import decide
from aicc_hooks.detect.privacy import redact
from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.inspection import Inspector
from aicc_hooks.payload import Extract, extract
from aicc_hooks.policy import Policy
from aicc_hooks.verdict import JOINED, Finding, Needs, Role, Segment

_ROLES = {"user": Role.USER, "system": Role.SYSTEM, "tool": Role.TOOL, "document": Role.DOCUMENT}


class BadLine(ValueError):
    """The line cannot be judged; the message names the field and repeats nothing of its content."""


def parse_line(raw: bytes) -> Any:
    """One line as JSON. Raises BadLine."""
    if not raw.strip():
        raise BadLine("line: empty")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        column = error.colno
    try:
        # orjson refuses lone surrogates, which JavaScript makes by cutting a string in an emoji.
        text = json.dumps(json.loads(raw), ensure_ascii=False, allow_nan=False)
        return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        raise BadLine(f"line: not valid JSON (column {column})") from None


class Scanner:
    """Reusable over many lines; holds no state between them."""

    def __init__(self, policy: Policy, catalog: Catalog, *, role: str = "user") -> None:
        self._policy = policy
        self._catalog = catalog
        self._role = role
        self._inspector = Inspector.of(policy)

    def scan(self, row: Any) -> dict[str, Any]:
        """The contract's object for one row. Raises BadLine."""
        if not isinstance(row, Mapping):
            raise BadLine('line: found no JSON object; allowed: {"text": …} or {"messages": […]}')
        if row.get("messages") is not None:
            found, text, places = _messages(row)
        elif isinstance(row.get("text"), str):
            found, text, places = self._text(row)
        else:
            raise BadLine("text: missing or not a string; send `text` or `messages`")
        verdict = self._inspector.inspect(found.segments, tools=found.tools)
        decision = decide(
            verdict, self._policy, self._catalog, requested=str(row.get("model") or "auto"), needs=found.needs
        )
        # A value that two parts of a content only say together has no place in the text of either.
        split = any(found.segments[f.segment].path.endswith(JOINED) for f in verdict.privacy.findings)
        findings = sorted(
            (
                Finding(f.type, f.start + places[f.segment], f.end + places[f.segment], f.action)
                for f in verdict.privacy.findings
                if f.segment in places
            ),
            key=lambda f: f.start,
        )
        return {
            "privacy": {
                "sensitive": verdict.privacy.sensitive,
                "findings": [{"type": f.type, "start": f.start, "end": f.end} for f in findings],
                "redacted": "[DROPPED]" if verdict.privacy.failed or split else redact(text, findings),
            },
            "injection": {
                "score": round(verdict.injection.score, 4),
                "flagged": verdict.injection.flagged,
                "rules": list(verdict.injection.rules),
            },
            "complexity": {"tier": verdict.complexity.tier, "score": round(verdict.complexity.score, 4)},
            "decision": {
                "route": decision.route,
                "reason": decision.reason,
                "blocked": bool(decision.blocked),
                "local_only": decision.local_only,
            },
        }

    def _text(self, row: Mapping[str, Any]) -> tuple[Extract, str, dict[int, int]]:
        role = row.get("role") or self._role
        if not isinstance(role, str) or role not in _ROLES:
            raise BadLine(f"role: allowed: {', '.join(_ROLES)}")
        text = row["text"]
        found = Extract(
            segments=[Segment(text, _ROLES[role], 0, "text")], needs=Needs(tokens=estimate_tokens(text))
        )
        return found, text, {0: 0}


def _messages(row: Mapping[str, Any]) -> tuple[Extract, str, dict[int, int]]:
    messages = row["messages"]
    if not isinstance(messages, list) or not all(isinstance(m, Mapping) for m in messages):
        raise BadLine("messages: allowed: an array of objects with role and content")
    found = extract("chat", {"messages": messages, **({"tools": row["tools"]} if row.get("tools") else {})})
    offsets: dict[str, int] = {}
    texts: list[str] = []
    position = 0
    for path, text in _content_texts(messages):
        offsets[path] = position
        texts.append(text)
        position += len(text) + 1
    places = {number: offsets[s.path] for number, s in enumerate(found.segments) if s.path in offsets}
    return found, "\n".join(texts), places


def _content_texts(messages: list[Any]) -> list[tuple[str, str]]:
    texts: list[tuple[str, str]] = []
    for number, message in enumerate(messages):
        content = message.get("content")
        if isinstance(content, Mapping) and isinstance(content.get("text"), str):
            texts.append((f"messages[{number}].content.text", content["text"]))
        elif isinstance(content, str):
            texts.append((f"messages[{number}].content", content))
        elif isinstance(content, list):
            for index, part in enumerate(content):
                if isinstance(part, str):
                    texts.append((f"messages[{number}].content[{index}]", part))
                elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
                    texts.append((f"messages[{number}].content[{index}].text", part["text"]))
    return texts
