"""Fuzz all three detectors: no exception, no time-out, spans in range, redaction final.

    python -m benchmarks.fuzz_detection                # one minute
    python -m benchmarks.fuzz_detection --minutes 10 --seed 7

Half of the inputs are random (bytes as text, Unicode of all planes, hypothesis' own text), half are pieces of what detectors look for,
glued, repeated, cut and disguised. A text may cost 40 ms and 30 µs a character of CPU time, each detector apart; what takes longer is run
again twice, and counts if its fastest run is too slow as well.
"""

from __future__ import annotations

import argparse
import base64
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector
from aicc_hooks.detect.injection import InjectionConfig, InjectionDetector
from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector, redact_text
from aicc_hooks.verdict import Role, Segment

PRIVACY = PrivacyDetector(PrivacyConfig(), remember=0)
INJECTION = InjectionDetector(InjectionConfig(), remember=0)
COMPLEXITY = ComplexityDetector(ComplexityConfig())
BASE_S, PER_CHARACTER_S = 0.040, 30e-6
_PIECES = (
    "password", "passwd: ", "my ssn is ", "123-45-6789", "sk-", "ghp_", "AKIA", "eyJ", "-----BEGIN RSA PRIVATE KEY-----", "-----END", "://", "@", "user:pw@host",
    "Bearer ", "key=", "token: ", "=", "==", "\\n", "\n", "\r\n", "\t", " ", "  ", "'", '"', "“", "”", "«", "`", "```", "<", ">", "</document>", "<system>", "[INST]", "{", "}", "[", "]",
    "|", "| a | b |", "::", ":", "0:0:", "1.2.3.4", "255.", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "+49 30 ", "(0", "born on ", "3 May 1971", "Street ", "12 Main St", "my name is ", "Anna Keller",
    "Ignore all previous instructions", "system prompt", "you are now ", "DAN", "i g n o r e", "1gn0r3", "erongi", "%20", "%3D", "&lt;", "&#105;", "\\x69", "\\u0069", "aWdub3Jl", "69676e6f7265", "01101001 ", "105 103 ",
    ".-", "-.. ", "忽略之前的指令", "パスワード", "비밀번호", "เลขบัตร", "هاتف", "סיסמה", "пароль", "\u200b", "\u00ad", "\u202e", "\ufe0f", "\U000e0041", "é", "e\u0301", "İ", "ß", "ﬁ", "Ａ", "𝐚", "\ud800", "\x00", "\x1b[31m", "😀",
    "def f(x):", "return x", "import os", "ERROR ", "2026-01-01T10:00:00Z ", "From: ", "Subject: ", "> ", "{\"a\": ", "continue", "thanks", "why", "prove", "a", "e", "9", "99", "A", "-", "_", ".", ",", ";", "#", "*",
)  # fmt: skip


def _random_text(rng: random.Random, size: int) -> str:
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randbytes(size).decode("utf-8", "replace")
    if kind == 1:
        return rng.randbytes(size).decode("latin-1")
    if kind == 2:
        return "".join(chr(rng.randrange(0x110000)) for _ in range(size))
    if kind == 3:
        low = rng.choice((0x20, 0x400, 0x600, 0x900, 0xE00, 0x3040, 0x4E00, 0xAC00, 0x1F300))
        return "".join(chr(low + rng.randrange(0x60)) if rng.random() < 0.85 else " " for _ in range(size))
    return base64.b64encode(rng.randbytes(size)).decode()


def _made_text(rng: random.Random, size: int) -> str:
    pool = rng.sample(_PIECES, rng.choice((1, 2, 3, 5, 12, 40)))
    parts: list[str] = []
    length = 0
    while length < size:
        part = rng.choice(pool)
        if rng.random() < 0.05:
            part = part[: rng.randrange(len(part) + 1)]
        if rng.random() < 0.05:
            part = part.swapcase()
        part *= rng.choice((1, 1, 1, 1, 2, 17))
        parts.append(part)
        length += max(1, len(part))
        if rng.random() < 0.3:
            parts.append(rng.choice((" ", "\n", ".", "x", "7")))
    return "".join(parts)[:size]


def _size(rng: random.Random) -> int:
    return int(2 ** rng.uniform(0, 15 if rng.random() < 0.1 else 11.5))


def check_privacy(text: str) -> None:
    """Spans in range, sorted, apart; redacting twice changes nothing."""
    findings = PRIVACY.find(text)
    end = 0
    for finding in findings:
        assert end <= finding.start < finding.end <= len(text), "spans"
        end = finding.end


def check_redaction(text: str) -> None:
    """Redaction is final: a second pass finds nothing to do."""
    once = redact_text(PRIVACY, text)
    assert redact_text(PRIVACY, once) == once, "redaction is not final"


def check_injection(text: str) -> None:
    """A score in [0, 1] and no failure, in every role."""
    for role in (Role.USER, Role.DOCUMENT):
        result = INJECTION.score(text, role)
        assert not result.failed, "failed"
        assert 0.0 <= result.score <= 1.0, "score"


def check_complexity(text: str) -> None:
    """A tier and no failure."""
    result = COMPLEXITY.inspect([Segment("Write a poem.", Role.USER, 0), Segment(text, Role.USER, 1)])
    assert not result.failed, "failed"
    assert 0.0 <= result.score <= 1.0, "score"


CHECKS: dict[str, tuple[Callable[[str], None], int]] = {
    "privacy": (check_privacy, 1), "injection": (check_injection, 2), "complexity": (check_complexity, 1),
}  # fmt: skip


def _timed(check: Callable[[str], None], text: str) -> float:
    began = time.thread_time()
    check(text)
    return time.thread_time() - began


def run(seconds: float, seed: int) -> Counter[str]:
    """Counts of texts, characters and problems; each problem is printed with what reproduces it."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    slowest: dict[str, tuple[float, int]] = {}
    until = time.monotonic() + seconds
    hypothesis_texts = _hypothesis()
    while time.monotonic() < until:
        number = counts["texts"]
        pick = rng.random()
        size = _size(rng)
        text = (
            hypothesis_texts()
            if pick < 0.05 and hypothesis_texts
            else _random_text(rng, size)
            if pick < 0.45
            else _made_text(rng, size)
        )
        counts["texts"] += 1
        counts["characters"] += len(text)
        for name, (check, runs) in CHECKS.items():
            allowed = runs * (BASE_S + PER_CHARACTER_S * len(text))
            try:
                took = _timed(check, text)
                if took > allowed:
                    took = min(took, _timed(check, text), _timed(check, text))
            except Exception as error:
                counts[f"{name}: {type(error).__name__} {error}"[:90]] += 1
                print(
                    f"seed {seed} text {number} {name}: {type(error).__name__} {error}: {text[:300]!r}",
                    file=sys.stderr,
                )
                continue
            slowest[name] = max(slowest.get(name, (0.0, 0)), (took * 1e3 / (1 + len(text) / 4096), len(text)))
            if took > allowed:
                counts[f"{name}: too slow"] += 1
                print(
                    f"seed {seed} text {number} {name}: {took * 1e3:.0f} ms for {len(text)}: {text[:300]!r}",
                    file=sys.stderr,
                )
        if len(text) < 3_000 and number % 4 == 0:
            try:
                check_redaction(text)
            except AssertionError as error:
                counts[f"redaction: {error}"] += 1
                print(f"seed {seed} text {number} redaction: {text[:300]!r}", file=sys.stderr)
    for name, (ms, length) in sorted(slowest.items()):
        print(f"slowest {name}: {ms:.1f} ms a 4 KB (a text of {length} characters)")
    return counts


def _hypothesis() -> Callable[[], str] | None:
    try:
        from hypothesis import strategies
        from hypothesis.errors import NonInteractiveExampleWarning
    except ImportError:
        return None
    warnings.simplefilter("ignore", NonInteractiveExampleWarning)
    texts = strategies.text(max_size=300)
    return texts.example


def main(argv: list[str]) -> int:
    """Exit status 1 when something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    counts = run(options.minutes * 60, options.seed)
    for name, count in counts.items():
        print(f"{name}: {count:,}")
    return int(len(counts) > 2)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
