"""Train the injection model: `python training/train_injection.py [--report-only]`.

Reads `../shared/data` beside the repository (rows marked `use: train` only), writes
`aicc_hooks/detect/models/injection.npz`, and prints leave-source-out figures: every figure for a source comes from
weights, coefficients and calibration fitted without any row of that source. Seeded and single-threaded.

Stage 1 fits the n-gram weights on windows. In a long attack only the windows that look like one count as attacks
(multiple-instance learning: chosen by rules first, by the model's own score in the second round). Stage 2 fits the logistic
over windows and rules on stage-1 scores of *other* sources, so it learns how far those scores can be trusted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "training"))

import injection_grammar as grammar  # noqa: E402
import injection_templates as templates  # noqa: E402
import injection_world as world  # noqa: E402

from aicc_hooks.detect.injection import features, rules  # noqa: E402
from aicc_hooks.detect.injection.detector import ROLE_SHIFT  # noqa: E402
from aicc_hooks.detect.injection.model import GATE, pieces, views  # noqa: E402
from aicc_hooks.verdict import Role  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
TARGET = ROOT / "aicc_hooks" / "detect" / "models" / "injection.npz"
SEED = 20
ROLES = {
    "indirect": "document",
    "long_document": "document",
    "email": "document",
    "agent_transcript": "tool",
    "system_prompt": "system",
}
# Sources that share texts (the same jailbreaks circulate) are left out together.
FOLDS = {
    "self": 0,
    "NVIDIA/garak": 1, "Giskard-AI/prompt-injections": 1, "cyberark/FuzzyAI": 1, "compass-ctf-team/prompt_injection_research": 1,
    "microsoft/BIPIA": 2, "encode/httpx": 2, "encode/starlette": 2, "yizhongw/self-instruct": 2,
    "sinanw/llm-security-prompt-injection": 3, "greshake/llm-security": 3, "sierra-research/tau-bench": 3, "openai/human-eval": 3,
    "seojoonkim/prompt-guard": 4, "PlexPt/awesome-chatgpt-prompts-zh": 4, "lm-sys/FastChat": 4, "jazzband/pip-tools": 4,
    "google-deepmind/xquad": 5, "openai/grade-school-math": 5, "LeapBeyond/scrubadub": 5, "pytest-dev/pluggy": 5,
}  # fmt: skip
Z_PLACES = [i for i, name in enumerate(features.NAMES) if name.startswith(("z", "fetched_z"))]
FETCHED = features.NAMES.index("fetched")
OWN = -1  # synthetic rows: in every training set, never measured


@dataclass
class Text:
    """One training text with everything that does not depend on weights."""

    text: str
    label: int
    role: str
    source: str
    fold: int
    category: str
    lang: str = "en"
    weight: float = 1.0
    readings: list[Any] | None = None


def repository(source: str) -> str:
    match = re.match(r"[\w.-]+/[\w.-]+|self", source)
    return match[0] if match else source


def load() -> list[Text]:
    """Labelled rows, extra benign rows from the other files, and synthetic rows."""
    rng = random.Random(SEED)
    texts = []
    for row in lines("injection.jsonl.gz"):
        if row["use"] != "train":
            continue
        source = repository(row["source"])
        role = ROLES.get(row["category"], "user")
        texts.append(
            Text(row["text"], row["label"], role, source, FOLDS[source], row["category"], row["lang"])
        )
    carriers = [
        t
        for t in texts
        if t.label == 0
        and (t.category in ("long_document", "email", "code", "agent_transcript") or len(t.text) > 300)
        and len(t.text) < 3000
        and t.role != "system"
    ]
    picked = rng.sample(carriers, 700)
    for text, label, role, origin in templates.corpus(rng, [(str(c.fold), c.text) for c in picked]):
        fold = OWN if origin == "own" else 100 + int(origin)  # a planted row leaves with its carrier
        texts.append(Text(text, label, role, "own", fold, "own", weight=1.0 if not text.isascii() else 0.5))
    # Small weights: they are many and alike, and with more the figures for sources left out fall.
    for weight, drawn in ((0.25, grammar.texts(rng)), (0.1, world.texts(rng))):
        for text, label, role in drawn:
            texts.append(Text(text, label, role, "own", OWN, "own", weight=weight))
    seen = {t.text for t in texts}
    for text, source in extra_benign():
        if text not in seen:
            seen.add(text)
            texts.append(Text(text, 0, "user", source, len(source) % 6, "extra", weight=0.5))
    return texts


def lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def extra_benign() -> list[tuple[str, str]]:
    found = []
    for row in lines("complexity.jsonl.gz"):
        if row["use"] == "train":
            found += [
                (m["content"], "complexity:" + row["source"].split("/")[0])
                for m in row["messages"]
                if m["role"] == "user" and isinstance(m["content"], str)
            ]
    for row in lines("privacy.jsonl.gz"):
        if row["use"] == "train" and row["source"].split(":")[0] != "synthetic":
            found.append((row["text"], "privacy:" + row["source"].split(":")[0]))
    return found


def prepare(item: Text) -> None:
    """Fill `item.readings`: `(buckets, places, tokens, features without z, chunks, rule hits per chunk)` per window."""
    item.readings = []
    fetched = item.role in ("document", "tool")
    for how, text, s in (view for piece in pieces(item.text) for view in views(piece)):
        n = len(s.classes)
        buckets, places = features.grams(s)
        fired = rules.fired(s.classes, text.lower(), s.hints)
        windows = features.vector(np.zeros(n + 1), fired, text, s.foreign, fetched=fetched, decoded=bool(how))
        chunks = (
            [(0, n)]
            if n <= 64
            else [(a, min(a + 44, n)) for a in range(0, n - 21, 22)][:60]
            + [(a, min(a + 128, n)) for a in range(0, n, 128)][:10]
        )
        hits = (
            [sum(1 for name, _ in rules.fired(s.classes[a:b], "").items()) for a, b in chunks]
            if item.label and (len(chunks) > 1 or how or item.readings)
            else [0] * len(chunks)
        )
        item.readings.append((buckets, places, n, windows, chunks, hits))


def stage_one(items: list[Text]) -> np.ndarray:
    """N-gram weights."""
    index, cols, data, labels, weights, owner, hits = [0], [], [], [], [], [], []
    for number, item in enumerate(items):
        total = sum(len(r[4]) for r in item.readings)
        for buckets, places, _, _, chunks, hit in item.readings:
            order = np.argsort(places, kind="stable")
            sorted_places, sorted_buckets = places[order], buckets[order]
            for (a, b), h in zip(chunks, hit, strict=True):
                part = sorted_buckets[np.searchsorted(sorted_places, a) : np.searchsorted(sorted_places, b)]
                cols.append(part)
                data.append(np.full(len(part), 1 / max(b - a, 6) ** 0.5))
                index.append(index[-1] + len(part))
                labels.append(item.label)
                weights.append(item.weight * (1 if item.label else max(1 / total, 0.25)))
                owner.append(number)
                hits.append(h)
    x = csr_matrix((np.concatenate(data), np.concatenate(cols), index), shape=(len(labels), features.BUCKETS))
    y, w, owner_array, guide = (
        np.array(labels),
        np.array(weights),
        np.array(owner),
        np.array(hits, dtype=float),
    )
    model = None
    for _ in range(2):
        use = np.ones(len(y), dtype=bool)
        positions: dict[int, list[int]] = defaultdict(list)
        for i in np.flatnonzero(y == 1):
            positions[owner_array[i]].append(i)
        share = w.copy()
        for rows in positions.values():
            if len(rows) > 1:
                best = guide[rows].max()
                keep = [i for i in rows if guide[i] >= best - 1e-9 or (model is not None and guide[i] > 1.0)]
                use[rows] = False
                use[keep] = True
                share[keep] = items[owner_array[rows[0]]].weight / len(keep) ** 0.5
        model = LogisticRegression(C=0.4, max_iter=60, solver="lbfgs", tol=1e-3)
        model.fit(x[use], y[use], sample_weight=share[use])
        guide = model.decision_function(x)
    return model.coef_[0].astype(np.float32)


def window_rows(item: Text, grams: np.ndarray) -> np.ndarray:
    """Full feature rows of every window of a text."""
    rows = []
    for buckets, places, n, static, _, _ in item.readings:
        totals = np.concatenate([[0], np.cumsum(np.bincount(places, weights=grams[buckets], minlength=n))])
        row = static.copy()
        fresh = features.vector(totals, {}, "", 0, fetched=bool(static[FETCHED]), decoded=False)
        for at in Z_PLACES:
            row[at] = fresh[at]
        rows.append(row)
    return np.array(rows) if rows else np.zeros((0, len(features.NAMES)))


def stage_two(items: list[Text], rows: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of the logistic over windows."""
    coefficients, intercept = np.zeros(len(features.NAMES)), 0.0
    coefficients[:3] = 1.0
    coefficients[features.NAMES.index("rules")] = 1.0
    for _ in range(3):
        xs, ys, ws = [], [], []
        for item, r in zip(items, rows, strict=True):
            if not len(r) or item.role == "system":
                continue
            keep = np.argsort(r @ coefficients)[-1:]
            xs.append(r[keep])
            ys += [item.label] * len(keep)
            ws += [item.weight] * len(keep)
        fit = LogisticRegression(C=0.3, max_iter=400, solver="lbfgs")
        fit.fit(np.concatenate(xs), ys, sample_weight=ws)
        coefficients, intercept = fit.coef_[0], float(fit.intercept_[0])
    return coefficients, intercept


def fit(items: list[Text]) -> tuple[np.ndarray, np.ndarray, float]:
    """Both stages; stage 2 sees each text with weights fitted without the text's fold."""
    rows: list[np.ndarray] = [np.zeros((0, len(features.NAMES)))] * len(items)
    folds = sorted({i.fold % 100 for i in items if i.fold != OWN})
    rng = random.Random(SEED)
    homes = [rng.choice(folds) if i.fold == OWN else i.fold % 100 for i in items]
    for fold in folds:
        grams = stage_one([i for i, home in zip(items, homes, strict=True) if home != fold])
        for k, item in enumerate(items):
            if homes[k] == fold:
                rows[k] = window_rows(item, grams)
    coefficients, intercept = stage_two(items, rows)
    return stage_one(items), coefficients, intercept


def leave_out(items: list[Text]) -> list[tuple[Text, float]]:
    """Log-odds of every measured text from a model that never saw its fold."""
    scored = []
    for fold in sorted({i.fold for i in items if i.fold != OWN and i.fold < 100}):
        grams, coefficients, intercept = fit([i for i in items if i.fold % 100 != fold or i.fold == OWN])
        for item in items:
            if item.fold == fold:
                rows = window_rows(item, grams)
                rows = rows[rows[:, 0] >= GATE]  # as at run time
                logit = float((rows @ coefficients).max() + intercept) if len(rows) else -20.0
                scored.append((item, logit + shift_of(item.role)))
    return scored


def shift_of(role: str) -> float:
    """What the detector adds by role; system messages are reported apart, as they score."""
    return 0.0 if role == "system" else ROLE_SHIFT.get(Role(role), 0.0)


def report(scored: list[tuple[Text, float]], allowed: float = 0.01) -> float:
    """Print tables; returns the logit at which `allowed` of the benign texts (system role apart) are flagged."""
    benign = sorted(
        (s for t, s in scored if not t.label and t.role != "system" and t.category != "extra"), reverse=True
    )
    threshold = benign[int(allowed * len(benign))]
    for rate in (0.003, 0.005, 0.01, 0.02):
        at = benign[int(rate * len(benign))]
        print(
            f"recall at {rate:.1%} false alarms: {np.mean([s > at for t, s in scored if t.label]):.3f} (logit {at:.2f})"
        )
    for title, key in (
        ("category", lambda t: t.category),
        ("source", lambda t: t.source),
        ("lang", lambda t: t.lang),
    ):
        groups: dict[Any, list[bool]] = defaultdict(list)
        for text, score in scored:
            if text.role != "system":
                groups[(text.label, key(text))].append(score > threshold)
        print(f"--- by {title}: share flagged")
        for (label, name), hits in sorted(groups.items(), key=str):
            print(f"{'attack' if label else 'benign'}  {name:45s} {np.mean(hits):6.3f}  n={len(hits)}")
    return threshold


def reference(items: list[Text]) -> list[tuple[Text, float]]:
    """The usual baseline on the same folds and rows: hashed word and character n-grams, logistic regression."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import HashingVectorizer

    measured = [i for i in items if i.source != "own" and i.category != "extra"]
    texts = [i.text[:6000] for i in measured]
    words = HashingVectorizer(ngram_range=(1, 2), n_features=1 << 17, alternate_sign=False).transform(texts)
    chars = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 4), n_features=1 << 17, alternate_sign=False
    ).transform(texts)
    x = hstack([words, chars]).tocsr()
    fold, label = np.array([i.fold for i in measured]), np.array([i.label for i in measured])
    scored = []
    for left_out in sorted(set(fold)):
        model = LogisticRegression(C=8, max_iter=60, tol=1e-3).fit(
            x[fold != left_out], label[fold != left_out]
        )
        for k in np.flatnonzero(fold == left_out):
            scored.append((measured[k], float(model.decision_function(x[k])[0])))
    return scored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--no-report", action="store_true", help="skip leave-source-out (it takes most of the time)"
    )
    parser.add_argument("--report-only", action="store_true", help="do not write weights")
    parser.add_argument(
        "--reference", action="store_true", help="only measure the usual n-gram baseline on the same folds"
    )
    parser.add_argument(
        "--dump", type=Path, help="write leave-source-out scores as JSON lines, for looking at errors"
    )
    options = parser.parse_args()
    if not DATA.exists():
        raise SystemExit(f"no training data at {DATA}: the shipped weights stay as they are")
    began = time.time()
    items = load()
    if options.reference:
        report(reference(items))
        return
    for item in items:
        prepare(item)
    print(f"{len(items)} texts prepared in {time.time() - began:.0f} s")
    threshold = -99.0
    if not options.no_report:
        scored = leave_out(items)
        threshold = report(scored)
        print(f"threshold {threshold:.3f}; {time.time() - began:.0f} s")
        if options.dump:
            with options.dump.open("w") as file:
                for text, score in scored:
                    file.write(
                        json.dumps(
                            [score, text.label, text.category, text.source, text.lang, text.role, text.text]
                        )
                        + "\n"
                    )
    if not options.report_only:
        grams, coefficients, intercept = fit(items)
        # The probability scale is moved so that 0.5 is the operating point found by leaving sources out: real traffic
        # holds far fewer attacks than the training set.
        shift = threshold if threshold > -99 else 0.0
        scale = float(np.abs(grams).max()) / 127
        np.savez_compressed(
            TARGET, grams=np.round(grams / scale).astype(np.int8), scale=np.float32(scale),
            coefficients=coefficients.astype(np.float32), intercept=np.float32(intercept - shift), names=np.array(features.NAMES),
        )  # fmt: skip
        print(f"wrote {TARGET.name}: {TARGET.stat().st_size / 1024:.0f} KB; {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
