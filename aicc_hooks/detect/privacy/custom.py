"""The user's own patterns: vetted once, disabled alone and by name when they cannot work."""

from __future__ import annotations

import importlib
import math
import re
from dataclasses import dataclass
from typing import Any, Final

import regex

from aicc_hooks.verdict import Action

from . import checks
from .config import CustomEntity, PrivacyConfig
from .literals import keyword_literals, read_alike, required_literals
from .shape import is_placeholder

# The standard library's own pattern parser; typeshed does not know these two modules.
_c: Any = importlib.import_module("re._constants")
_parser: Any = importlib.import_module("re._parser")

# A pattern of `pii_regexes` that reduces to one of these only names a subject: alone it is no personal data.
_SUBJECTS: Final = frozenset(
    """
    password passwords passwd pwd pass passphrase passcode secret secrets apikey apikeys privatekey
    privatekeys ssn ssns socialsecurity socialsecuritynumber token tokens accesstoken authtoken bearertoken
    secretkey accesskey credential credentials creditcard creditcardnumber cardnumber iban passport dob
    dateofbirth email phone pin username login auth authorization bearer clientsecret
    """.split()  # noqa: SIM905
)
_SINGLE: Final = (_c.LITERAL, _c.NOT_LITERAL, _c.IN, _c.ANY, _c.AT)
_CLASS_AFTER_BACKSLASH: Final = re.compile(
    r"(?<!\\)(?:\\\\)(?:b(?![a-z])|b(?=\\|$|\"|\()|[dwsDWSB](?=[+*?{)\]|]|\\|$))"
)
_PROBE_LENGTH: Final = 1200
_PROBE_TIMEOUT: Final = 0.2
_FEW_WAYS: Final = 256  # a pattern with so few ways to match at a place cannot backtrack for long


@dataclass(frozen=True, slots=True)
class PatternProblem:
    """Why a user's pattern does not run. `field` is its place in the policy; `found` the pattern itself."""

    name: str
    field: str
    found: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class UserPattern:
    """A pattern that passed vetting. `keyword` ones only name a subject.

    `literals`: without one of these in the folded text there is no finding; None when none is known.
    """

    entity: str
    compiled: Any
    action: Action
    keyword: bool = False
    keywords: tuple[str, ...] = ()
    checksum: str = "none"
    literals: frozenset[str] | None = None

    def accepts(self, text: str, lower: str, start: int, end: int) -> bool:
        """Keyword distance and check digits of a match."""
        if self.keywords:
            window = lower[max(0, start - 60) : start] + "\n" + lower[end : end + 60]
            if not any(k.lower() in window for k in self.keywords):
                return False
        return checksum_holds(self.checksum, text[start:end])


def checksum_holds(name: str, value: str) -> bool:
    """The named check over letters and digits of the value; too little to check is a failure."""
    bare = "".join(c for c in value if c.isalnum() and c.isascii()).upper()
    if name == "none":
        return True
    if len(bare) < 3:
        return False
    if name == "iban":
        return checks.iban(bare)
    if name == "mod97":
        return checks.mod97(bare)
    if name == "mod11":
        return checks.mod11(bare)
    if not bare.isdigit():
        return False
    return checks.luhn(bare) if name == "luhn" else checks.verhoeff(bare)


def subject_of(pattern: str) -> str | None:
    """The subject a keyword pattern names, or None when it matches more than a word."""
    bare = re.sub(
        r"\(\?[a-z]+\)|\\b|\(\?:|\[[\\ _./\s-]{1,6}\][?*]?|\\s[?*+]?|\\?[\"'][?*]?|[\^$()]|s\?", "", pattern
    )
    bare = re.sub(r"[_\s-]", "", bare).lower()
    return bare if bare in _SUBJECTS else None


def _quantified(tree: Any) -> bool:
    """True when a repeat of variable length stands inside an unbounded repeat (exponential at worst)."""
    for op, arg in tree:
        if op in (_c.MAX_REPEAT, _c.MIN_REPEAT):
            _, high, inner = arg
            if high is _c.MAXREPEAT and _varies(inner):
                return True
            if _quantified(inner):
                return True
        elif (
            (op is _c.SUBPATTERN and _quantified(arg[-1]))
            or (op is _c.BRANCH and any(_quantified(b) for b in arg[1]))
            or (op in (_c.ASSERT, _c.ASSERT_NOT) and _quantified(arg[1]))
        ):
            return True
    return False


def _varies(tree: Any) -> bool:
    # (\w+\s)* is safe: what varies is closed by something it cannot contain; (\w+\s?)* is not.
    items = list(tree)
    for i, (op, arg) in enumerate(items):
        if op in (_c.MAX_REPEAT, _c.MIN_REPEAT) and arg[1] is _c.MAXREPEAT:
            fixed = [o for o, a in items if o in (_c.LITERAL, _c.IN, _c.NOT_LITERAL, _c.CATEGORY)]
            if not fixed or (i == len(items) - 1 and len(items) == 1):
                return True
        if op is _c.SUBPATTERN and _varies(arg[-1]):
            return True
    return False


def _never_matches(tree: Any, flags: int) -> bool:
    consumed = ended = False
    for op, arg in tree:
        if op is _c.AT:
            if arg in (_c.AT_BEGINNING, _c.AT_BEGINNING_STRING) and consumed and not flags & re.MULTILINE:
                return True
            if arg in (_c.AT_END, _c.AT_END_STRING) and not flags & re.MULTILINE:
                ended = True
        else:
            low, _ = _parser.SubPattern(tree.state, [(op, arg)]).getwidth()
            if low > 0:
                if ended:
                    return True
                consumed = True
    return False


def _ways(tree: Any) -> float:
    """In how many ways the pattern can be tried at one place, from above."""
    ways: float = 1
    for op, arg in tree:
        if op in (_c.MAX_REPEAT, _c.MIN_REPEAT, _c.POSSESSIVE_REPEAT):
            low, high, inner = arg
            each = _ways(inner)
            ways *= (
                math.inf
                if high is _c.MAXREPEAT or high > _FEW_WAYS
                else sum(each**n for n in range(low, high + 1))
            )
        elif op is _c.BRANCH:
            ways *= sum(map(_ways, arg[1]))
        elif op in (_c.SUBPATTERN, _c.ASSERT, _c.ASSERT_NOT):
            ways *= _ways(arg[-1])
        elif op is _c.ATOMIC_GROUP:
            ways *= _ways(arg)
        elif op not in _SINGLE:
            return math.inf
        if ways > _FEW_WAYS:
            return math.inf
    return ways


def _probes(pattern: str) -> list[str]:
    letters = sorted({c for c in pattern if c.isalnum()} | set("a0 _-.@"))[:24]
    # every letter of the pattern follows, lest a missing mandatory one spares the engine the search
    tail = "\x00" + "".join(letters)
    texts = [c * _PROBE_LENGTH + tail for c in letters]
    return [
        *texts,
        "a1" * (_PROBE_LENGTH // 2) + tail,
        "a " * (_PROBE_LENGTH // 2) + tail,
        "a.b-" * (_PROBE_LENGTH // 4) + tail,
    ]


def vet(name: str, field: str, pattern: str) -> tuple[Any, PatternProblem | None]:
    """Compile and check one pattern; returns (compiled, None) or (None, problem)."""

    def problem(reason: str, fix: str) -> tuple[None, PatternProblem]:
        return None, PatternProblem(name, field, pattern, reason, fix)

    if not pattern.strip():
        return problem("is empty", "remove it or write a pattern")
    literal = _CLASS_AFTER_BACKSLASH.search(pattern)
    if literal:
        seen = literal.group()
        return problem(
            f"has {seen}, a literal backslash before {seen[-1]!r}, so it can never match ordinary text",
            f"in YAML write the pattern in single quotes with one backslash: {seen[1:]}",
        )
    try:
        compiled = regex.compile(pattern)
    except regex.error as exc:
        return problem(f"does not compile: {exc}", "correct the pattern (syntax of Python's regex module)")
    try:
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        tree = None  # syntax only the regex module knows: the probes below still apply
    if tree is not None and _quantified(tree):
        return problem(
            "repeats a repeat, which can backtrack without bound",
            "unnest the quantifiers, e.g. (a+)+ as a+, or use a possessive a++",
        )
    if tree is not None and _never_matches(tree, tree.state.flags):
        return problem(
            "can never match: an anchor stands behind or before text",
            "move ^ to the start and $ to the end, or drop them",
        )
    try:
        if compiled.search("", timeout=_PROBE_TIMEOUT) is not None:
            return problem(
                "matches the empty text, so it would match everywhere",
                "use + instead of *, or make a part mandatory",
            )
        harmless = tree is not None and read_alike(pattern) and _ways(tree) <= _FEW_WAYS
        for probe in () if harmless else _probes(pattern):
            for _ in compiled.finditer(probe, timeout=_PROBE_TIMEOUT):
                break
    except TimeoutError:
        return problem(
            "runs out of time on a short hostile text: it can backtrack without bound",
            "bound the repeats ({1,64}) or make them possessive (++)",
        )
    return compiled, None


def compile_all(config: PrivacyConfig) -> tuple[tuple[UserPattern, ...], tuple[PatternProblem, ...]]:
    """Every usable pattern of the policy, and what is wrong with the rest."""
    good: list[UserPattern] = []
    bad: list[PatternProblem] = []
    for i, pattern in enumerate(config.pii_regexes):
        field = f"privacy.pii_regexes[{i}]"
        compiled, trouble = vet(pattern, field, pattern)
        if trouble:
            bad.append(trouble)
            continue
        keyword = subject_of(pattern) is not None
        literals = required_literals(pattern)
        good.append(UserPattern("custom", compiled, "route", keyword=keyword, literals=literals))
    for i, entity in enumerate(config.custom):
        compiled, trouble = vet(entity.name, f"privacy.custom[{i}].pattern", entity.pattern)
        if trouble:
            bad.append(trouble)
            continue
        literals = required_literals(entity.pattern) or keyword_literals(entity.keywords)
        good.append(
            UserPattern(
                entity.name,
                compiled,
                entity.action,
                keywords=entity.keywords,
                checksum=entity.checksum,
                literals=literals,
            )
        )
    return tuple(good), tuple(bad)


def example_problems(entity: CustomEntity, index: int, found: Any) -> list[PatternProblem]:
    """Examples that are not found and counterexamples that are. `found(text)` lists the entity names in a text."""
    out: list[PatternProblem] = []
    for kind, texts, want in (
        ("examples", entity.examples, True),
        ("counterexamples", entity.counterexamples, False),
    ):
        for j, text in enumerate(texts):
            if (entity.name in found(text)) is not want:
                reason = (
                    "is not found by the pattern, its keywords and its checksum"
                    if want
                    else "is found although it must not be"
                )
                fix = "correct the pattern, the keywords, the checksum or the example"
                if want and is_placeholder(text):
                    fix = "the example looks like a placeholder; give a realistic one"
                out.append(
                    PatternProblem(entity.name, f"privacy.custom[{index}].{kind}[{j}]", text, reason, fix)
                )
    return out
