"""The evaluation that ships, and the aims on rows no weight was fitted on."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector
from aicc_hooks.detect.complexity.evaluate import evaluate, evaluate_rows, read_rows, segments_of
from aicc_hooks.errors import DetectorError

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "complexity.jsonl.gz"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the development data is not part of the project")


def _write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_rates_count_what_they_say(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "tier": "simple", "acceptable": ["simple"], "source": "one"},
        {"text": "b", "tier": "complex", "acceptable": ["medium", "complex"], "source": "one"},
        {"text": "c", "tier": "complex", "source": "two"},
    ]
    given = {"a": "simple", "b": "medium", "c": "simple"}
    report = evaluate(read_rows(_write(tmp_path / "rows.jsonl", *rows)), lambda row: given[row["text"]])  # type: ignore[index,return-value]
    assert report.total.acceptable_rate == pytest.approx(2 / 3)
    assert report.total.complex_on_small == pytest.approx(1 / 2)
    assert report.sources["one"].simple_on_small == 1.0
    assert report.misses == [(3, "two", "complex", "simple")]
    assert "| all | 3 | 66.7% | 50.0% | 100.0% |" in report.text()
    assert report.as_dict()["confusion"] == {"complex->medium": 1, "complex->simple": 1, "simple->simple": 1}


def test_a_file_of_messages_is_judged_like_a_request(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "x"}}]
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Prove everything. " * 200},
                {"role": "user", "content": parts},
            ],
            "tier": "simple",
        },
        {
            "messages": [
                {"role": "user", "content": "Prove the spectral theorem and discuss every assumption."}
            ],
            "tier": "complex",
        },
    ]
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    report = evaluate_rows(read_rows(path), ComplexityDetector(ComplexityConfig()))
    assert (report.total.rows, report.total.acceptable) == (2, 2)
    assert [segment.text for segment in segments_of(rows[0])][-1] == "hi"


@pytest.mark.parametrize(
    ("line", "says"),
    [('{"text": "secret-canary"', "line 1: not JSON"), ('{"text": "secret-canary", "tier": "hard"}', "tier: missing or unknown; allowed"),
     ('{"tier": "simple"}', "`text` (a string) or `messages`"), ('{"text": "x", "tier": "simple", "acceptable": "simple"}', "acceptable: found a string; allowed: a list"), ("[]", "found a list")],
)  # fmt: skip
def test_a_bad_line_is_named_without_its_text(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line)
    with pytest.raises(DetectorError, match="line 1") as error:
        list(read_rows(path))
    assert says in str(error.value)
    assert "secret-canary" not in str(error.value)


def test_the_weights_are_small_and_need_numpy_alone() -> None:
    path = resources.files("aicc_hooks.detect") / "models" / "complexity.npz"
    assert len(path.read_bytes()) <= 1_000_000
    code = (
        "import sys; from aicc_hooks.detect.complexity import *; from aicc_hooks.verdict import *;"
        "print(ComplexityDetector(ComplexityConfig()).inspect([Segment('hi')]).tier, 'sklearn' in sys.modules, 'litellm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["simple", "False", "False"]


@needs_data
def test_the_aims_hold_on_rows_no_weight_was_fitted_on() -> None:
    detector = ComplexityDetector(ComplexityConfig())
    rows = [row for row in read_rows(DATA) if row["use"] == "eval"]
    total = evaluate(rows, lambda row: detector.inspect(segments_of(row)).tier).total
    assert total.rows > 200
    assert (total.acceptable_rate or 0) >= 0.9
    assert (total.complex_on_small or 0) <= 0.02
    assert (total.simple_on_small or 0) >= 0.6


@needs_data
@pytest.mark.parametrize("source", ["own/multiturn-thanks", "own/sys+simple", "own/tools"])
def test_turns_system_prompts_and_tools_are_followed(source: str) -> None:
    detector = ComplexityDetector(ComplexityConfig())
    rows = [row for row in read_rows(DATA) if row["source"] == source]
    total = evaluate(
        rows, lambda row: detector.inspect(segments_of(row), tools=len(row.get("tools") or ())).tier
    ).total
    assert (total.acceptable_rate or 0) >= 0.95


@needs_data
def test_follow_ups_are_recognised() -> None:
    detector = ComplexityDetector(ComplexityConfig())
    rows = [row for row in read_rows(DATA) if row["source"] == "own/multiturn-continue"]
    followed = [detector.inspect(segments_of(row)).continuation for row in rows]
    assert sum(followed) >= 0.97 * len(rows)
