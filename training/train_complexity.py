"""Fit, measure and write the complexity weights.

python training/train_complexity.py                 leave-source-out table, then fit on all and write the .npz
python training/train_complexity.py --no-measure    write only
python training/train_complexity.py --no-write      measure only
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parent))
import complexity_data as data
from complexity_templates import synthetic

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector, split_ask
from aicc_hooks.detect.complexity.evaluate import Report, Tally, evaluate, segments_of
from aicc_hooks.detect.complexity.features import numeric
from aicc_hooks.detect.complexity.model import OUTPUTS, ROWS, Model, ngrams, unpack
from aicc_hooks.detect.tokens import estimate_tokens

OUT = Path(__file__).resolve().parents[1] / "aicc_hooks" / "detect" / "models" / "complexity.npz"
C_PENALTY = 1.0
SPARSE_SCALE = 2.0
DENSE_SCALE = 1.0
GROUP_POWER = 0.5  # a group of n rows weighs n ** power in all
WRITTEN = 2.0  # our own rows cover languages and payloads the data has little of
_SEED = 5
Packed = dict[str, Any]


def targets(row: data.Row) -> list[int]:
    """The four statements of model.py for one labelled row."""
    accepts = row["acceptable"]
    return [
        int("simple" not in accepts),
        int(accepts == ["complex"]),
        int("complex" not in accepts),
        int(accepts == ["simple"]),
    ]


_CACHE: dict[str, tuple[Any, Any, Any]] = {}


def features(text: str) -> tuple[Any, Any, Any]:
    """Dense vector, bucket indices and values of one text; remembered, for folds share rows."""
    if text not in _CACHE:
        split = split_ask(text)
        indices, values = ngrams(split.ask)
        _CACHE[text] = (numeric(split, estimate_tokens(split.ask)), indices, values)
    return _CACHE[text]


def matrix(rows: list[data.Row]) -> Any:
    parts = [features(data.last_ask(row)) for row in rows]
    dense = np.stack([part[0] for part in parts]) * DENSE_SCALE
    indptr = np.cumsum([0, *(len(part[1]) for part in parts)])
    hashed = sparse.csr_matrix(
        (
            np.concatenate([part[2] for part in parts]) * SPARSE_SCALE,
            np.concatenate([part[1] for part in parts]),
            indptr,
        ),
        shape=(len(rows), ROWS),
    )
    return sparse.hstack([sparse.csr_matrix(dense), hashed], format="csr")


def row_weights(rows: list[data.Row]) -> Any:
    sizes: dict[str, int] = {}
    for row in rows:
        group = data.group_of(row["source"])
        sizes[group] = sizes.get(group, 0) + 1
    raw = np.array(
        [
            sizes[data.group_of(row["source"])] ** (GROUP_POWER - 1)
            * (WRITTEN if row["source"].startswith("written/") else 1.0)
            for row in rows
        ]
    )
    return raw / raw.mean()


def fit(rows: list[data.Row]) -> tuple[Model, Packed]:
    """Four logistic regressions over the same features; the model judges with the weights as they ship (int8)."""
    x = matrix(rows)
    y = np.array([targets(row) for row in rows])
    w = row_weights(rows)
    coefficients = np.zeros((x.shape[1], OUTPUTS))
    bias = np.zeros(OUTPUTS, dtype=np.float32)
    for output in range(OUTPUTS):
        model = LogisticRegression(C=C_PENALTY, solver="liblinear", max_iter=200, random_state=_SEED)
        model.fit(x, y[:, output], sample_weight=w)
        coefficients[:, output] = model.coef_[0]
        bias[output] = model.intercept_[0]
    width = x.shape[1] - ROWS
    hashed = coefficients[width:] * SPARSE_SCALE
    scale = (np.abs(hashed).max(axis=0) / 127).astype(np.float32)
    scale[scale == 0] = 1.0
    packed = {
        "dense": (coefficients[:width] * DENSE_SCALE).astype(np.float16),
        "sparse": np.round(hashed / scale).astype(np.int8),
        "scale": scale,
        "bias": bias,
    }
    return unpack(packed), packed


def detector_for(model: Model) -> Any:
    detector = ComplexityDetector(ComplexityConfig(), model)
    return lambda row: detector.inspect(segments_of(row)).tier


def leave_sources_out(
    rows: list[data.Row], written: bool = True
) -> tuple[Report, list[tuple[str, str, str, str]]]:
    """One fit a group, judged on the group it has not seen; misses with the text, for reading."""
    train = data.trainable(rows)
    own = synthetic() if written else []
    total = Report()
    misses = []
    for group in sorted({data.group_of(row["source"]) for row in rows}):
        held = [row for row in rows if data.group_of(row["source"]) == group]
        fitted, _ = fit([*data.without(train, held, group), *own])
        report = evaluate([{**row, "source": group} for row in held], detector_for(fitted))
        merge(total, report)
        misses += [
            (group, labelled, given, data.last_ask(held[n - 1])) for n, _, labelled, given in report.misses
        ]
    return total, misses


def merge(total: Report, part: Report) -> None:
    for name, tally in part.sources.items():
        for target in (total.sources[name], total.total):
            add(target, tally)


def add(target: Tally, tally: Tally) -> None:
    target.rows += tally.rows
    target.acceptable += tally.acceptable
    target.confusion.update(tally.confusion)
    target.simple_only += tally.simple_only
    target.simple_only_small += tally.simple_only_small


def write(packed: Packed, path: Path = OUT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **packed)
    print(f"wrote {path.name}: {path.stat().st_size / 1024:.0f} KB")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=data.DATA, help="complexity.jsonl.gz")
    parser.add_argument("--no-measure", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--no-written", action="store_true", help="measure without our own rows")
    parser.add_argument("--misses", type=Path, help="write what was missed to this file")
    options = parser.parse_args()
    if not options.data.exists():
        print(f"no training rows at {options.data}: the shipped weights stay as they are", file=sys.stderr)
        return 1
    rows = data.load(options.data)
    if not options.no_measure:
        report, misses = leave_sources_out(rows, not options.no_written)
        print(report.table())
        print()
        print(report.confusion_table())
        if options.misses:
            options.misses.write_text("\n".join(f"{g}\t{a}->{b}\t{t[:400]!r}" for g, a, b, t in misses))
    if not options.no_write and not options.no_written:
        write(fit([*data.trainable(rows), *synthetic()])[1])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
