"""PrivacyDetector: all entity families over one text, merged into findings with their actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from aicc_hooks.detect.entities import ALL, CONTACT, DEFAULT_ACTION, IDENTIFIERS, SECRETS
from aicc_hooks.detect.memo import TEXTS, Memo
from aicc_hooks.detect.pace import breathe
from aicc_hooks.verdict import JOINED, Action, Finding, PrivacyResult, Role, Segment

from . import (
    addresses,
    assignments,
    bank,
    commands,
    contact,
    encoded,
    identifiers,
    names,
    numbers,
    pem,
    prose,
    tokens,
    urls,
)
from .config import PrivacyConfig
from .custom import PatternProblem, compile_all, example_problems
from .escapes import Plain, read_escapes, without_breaks
from .prefilter import PatternIndex
from .shape import entropy, is_placeholder
from .text import Doc, Hits

_FAMILIES: Final[tuple[Callable[[Doc, Hits], None], ...]] = (
    pem.find, tokens.find, urls.find, assignments.find, commands.find, prose.find, bank.find, numbers.find, identifiers.find, contact.find, names.find,
    addresses.find,
)  # fmt: skip
# Which name wins where spans overlap: what is most specific. Generic secrets come after all shapes.
_GENERIC: Final = ("api_key", "password", "high_entropy")
_RANK: Final = {
    name: i
    for i, name in enumerate((
        *(s for s in SECRETS if s not in (*_GENERIC, "connection_string", "vendor_token")), "vendor_token", "connection_string",
        *IDENTIFIERS, *_GENERIC, *CONTACT,
    ))
}  # fmt: skip
_ACTION_RANK: Final = {"route": 0, "redact": 1, "ignore": 2}
MARK: Final = re.compile(r"\[[A-Z][A-Z_0-9]{2,39}(?::[0-9a-f]{4,64})?\]")
_HIGH: Final = re.compile(r"[A-Za-z0-9+/=_.~-]+")
_WINDOW: Final = 32_768
_BEFORE: Final = 1_024
_BEHIND: Final = 4_096
_BEHIND_KEY: Final = 12_288  # a private key of 16,384 bits
_LARGE: Final = 262_144  # beyond this, regex runs without the GIL
_REMEMBERED: Final = 64  # findings: a text with more is a list of personal data and not worth the memory


class PrivacyDetector:
    """Finds secrets and personal data. Pure: the same text always gives the same findings."""

    def __init__(self, config: PrivacyConfig, remember: int = TEXTS) -> None:
        """`remember`: for how many texts the findings are kept (see `Memo`; 0: none)."""
        self.config = config
        self._memo: Memo[tuple[Finding, ...]] = Memo(remember)
        patterns, problems = compile_all(config)
        unknown = set(config.entities) - set(ALL) - {c.name for c in config.custom}
        self._problems = problems + tuple(
            PatternProblem(
                name, f"privacy.entities.{name}", name, "is no entity", "one of: " + ", ".join(ALL)
            )
            for name in sorted(unknown)
        )
        self._patterns = tuple(p for p in patterns if not p.keyword or config.keyword_mentions == "route")
        self._index = PatternIndex([p.literals for p in self._patterns])
        self._actions: dict[str, Action] = {
            **DEFAULT_ACTION,
            **{c.name: c.action for c in config.custom},
            **{name: rule.action for name, rule in config.entities.items()},
        }
        self._timeout = config.pattern_timeout_ms / 1000

    @property
    def pattern_problems(self) -> tuple[PatternProblem, ...]:
        """User patterns that are disabled, each with the reason and what to do."""
        return self._problems

    @property
    def always_searched(self) -> int:
        """User patterns that no literal announces: each costs a search of every text."""
        return len(self._index.always)

    def check_examples(self) -> tuple[PatternProblem, ...]:
        """Examples and counterexamples of custom entities that the detector judges otherwise."""
        disabled = {p.name for p in self._problems}
        out: list[PatternProblem] = []
        for i, entity in enumerate(self.config.custom):
            if entity.name not in disabled:
                out += example_problems(entity, i, lambda text: {h[0] for h in self._user_hits(text)})
        return tuple(out)

    def find(self, text: str, role: Role = Role.USER) -> tuple[Finding, ...]:
        """Findings sorted by offset, never overlapping; offsets are code points of `text`."""
        key = self._memo.key(text)
        found = self._memo.get(key)
        if found is None:
            items = self._hits(Doc(text)) if len(text) <= _WINDOW else list(self._by_windows(text))
            try:
                found = self._merge(text, items + self._search(text))
            except TimeoutError:  # a busy moment: not to be remembered
                return self._merge(text, [*items, ("custom", 0, len(text))])
            if len(found) <= _REMEMBERED:
                self._memo.put(key, found)
        return found

    def _hits(self, doc: Doc) -> list[tuple[str, int, int]]:
        """What the built-in families find, in offsets of the original."""
        hits = Hits()
        for family in _FAMILIES:
            family(doc, hits)
            breathe()
        encoded.find(doc, hits)
        if self.config.entropy_scope == "anywhere":
            self._anywhere(doc, hits)
        return [(kind, *doc.span(start, end)) for kind, start, end in hits.items]

    def _by_windows(self, text: str) -> Iterator[tuple[str, int, int]]:
        """A long text in windows: memory stays small, and the interpreter lock is never held for the whole of it.

        A window reports what begins in its own stretch; it sees what announces a value before, and the rest of a value behind.
        """
        for own in range(0, len(text), _WINDOW):
            start = max(0, own - _BEFORE)
            if start and text[start - 1].isalnum():  # a value cut in two would look like another
                start = max(
                    start - 512, text.rfind(" ", start - 512, start), text.rfind("\n", start - 512, start)
                )
            stop = own + _WINDOW
            stop += _BEHIND_KEY if text.find("-----BEGIN", own, stop) >= 0 else _BEHIND
            for kind, begin, end in self._hits(Doc(text[start:stop])):
                if own <= begin + start < own + _WINDOW:
                    yield kind, begin + start, end + start

    def inspect(self, segments: Sequence[Segment]) -> PrivacyResult:
        """All segments of a request. Fails closed: an exception makes the request sensitive."""
        try:
            found: list[Finding] = []
            alone: set[str] = set()  # values of parts that say them by themselves
            for index, segment in enumerate(segments):
                together = segment.path.endswith(JOINED)
                for f in self.find(segment.text, segment.role):
                    value = segment.text[f.start : f.end]
                    if together and value in alone:
                        continue
                    alone.add(value)
                    found.append(Finding(f.type, f.start, f.end, f.action, index) if index else f)
            return PrivacyResult(tuple(found))
        except Exception:
            # Whatever broke, the text was not cleared; its content must not reach a log through the traceback.
            return PrivacyResult(failed=True)

    def _user_hits(self, text: str) -> list[tuple[str, int, int]]:
        try:
            return self._search(text)
        except TimeoutError:
            return [("custom", 0, len(text))]

    def _search(self, text: str) -> list[tuple[str, int, int]]:
        """Matches of the user's patterns, in the text as it is and with its escapes read. Raises TimeoutError."""
        if not self._patterns:
            return []
        out = list(self._matches(without_breaks(text)))
        plain = Plain(text)
        if read_escapes(plain):
            out += [
                (kind, *plain.span(start, end))
                for kind, start, end in self._matches(without_breaks(plain.text))
            ]
        return out

    def _matches(self, text: str) -> Iterator[tuple[str, int, int]]:
        lower = ""
        for number in self._index.candidates(text):
            pattern = self._patterns[number]
            if pattern.keywords and not lower:
                lower = text.lower()
                lower = lower if len(lower) == len(text) else text
            for m in pattern.compiled.finditer(text, timeout=self._timeout, concurrent=len(text) > _LARGE):
                if m.end() > m.start() and pattern.accepts(text, lower, m.start(), m.end()):
                    yield pattern.entity, m.start(), m.end()

    def _anywhere(self, doc: Doc, hits: Hits) -> None:
        """A literal rule: any long token of high entropy."""
        for m in _HIGH.finditer(doc.text):
            value = m.group()
            if (
                len(value) >= self.config.min_token_length
                and entropy(value) >= self.config.entropy_threshold
                and not is_placeholder(value)
            ):
                hits.add("high_entropy", m.start(), m.end())

    def _merge(self, text: str, items: list[tuple[str, int, int]]) -> tuple[Finding, ...]:
        """Overlaps become one finding: the strictest action first, then the most specific name, over both spans."""
        marks = [(m.start(), m.end()) for m in MARK.finditer(text)] if "[" in text else []
        ready: list[tuple[int, int, int, int, str, Action]] = []
        for kind, start, end in items:
            action = self._actions.get(kind, "route")
            if action == "ignore" or any(s <= start and end <= e for s, e in marks):
                continue
            ready.append((start, end, _ACTION_RANK[action], _RANK.get(kind, -1), kind, action))
        ready.sort()
        out: list[tuple[int, int, int, int, str, Action]] = []
        for item in ready:
            if out and item[0] < out[-1][1]:
                last = out[-1]
                best = min(last, item, key=lambda x: (x[2], x[3], x[0] - x[1]))
                out[-1] = (last[0], max(last[1], item[1]), *best[2:])
            else:
                out.append(item)
        return tuple(Finding(kind, start, end, action) for start, end, _, _, kind, action in out)
