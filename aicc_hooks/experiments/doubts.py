"""What spoils a comparison, in sentences for whoever reads the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from aicc_hooks.experiments.rows import Row
from aicc_hooks.experiments.schema import ExperimentConfig
from aicc_hooks.experiments.stats import uneven

_HEAVY = 0.5  # share of a variant's requests that one unit made


def doubts(
    config: ExperimentConfig,
    whole: Mapping[str, Sequence[Row]],
    named: Mapping[str, Sequence[Row]],
    turned: Iterable[str],
) -> Iterable[str]:
    """`whole`, `named`: rows by variant, with and without those of nobody. `turned`: variants that differ the other way by request."""
    unit = config.unit
    counts = {name: Counter(r.unit for r in rows) for name, rows in named.items()}
    units = [len(found) for found in counts.values()]
    if sum(units) >= 50 and (p := uneven(units, [v.weight for v in config.variants])) < 0.001:
        yield f"{unit}s are not spread as the weights say (p = {p:.1g}): weights changed during the run, or some requests are lost"
    if alone := sum(not row.named for rows in whole.values() for row in rows):
        nobody = "no session" if unit == "session" else "no user or session"
        yield f"{alone:,} requests name {nobody}: they stand in the table and count in no comparison; `unit: conversation` tells them apart"
    moved = sum(n > 1 for n in Counter(u for found in counts.values() for u in found).values())
    if moved:
        yield f"{moved:,} {unit}s saw more than one variant: weights or the salt changed during the run"
    for name, found in counts.items():
        if len(found) > 1 and (most := max(found.values()) / found.total()) > _HEAVY:
            yield f"one {unit} made {most:.0%} of the requests of {name}; it counts once, like every other"
    for name in turned:
        yield f"counted by request {name} differs the other way round: the {unit}s that ask most are not like the others"
    for name, rows in whole.items():
        prompts = sorted({r.prompt for r in rows if r.prompt})
        if len(prompts) > 1:
            yield f"{name} was answered with {', '.join(prompts)}: it is not one prompt but {len(prompts)}"
        elif prompts and prompts[0].endswith("@fallback"):
            yield f"{name} used the fallback text only: Langfuse never gave {prompts[0].removesuffix('@fallback')}"
    scored = [r for rows in named.values() for r in rows if r.score is not None]
    if any(r.thumbs for r in scored) and any(r.score not in (0.0, 1.0) for r in scored):
        yield "thumbs (0 and 1) and numbers of another scale are mixed in one score: send one kind"
