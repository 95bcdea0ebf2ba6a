"""`aicc cache`: what the response cache holds and does, and the calibration of its semantic tier."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import click
import orjson

from aicc_hooks.cache import calibrate as calibration
from aicc_hooks.cache.ask import normalise
from aicc_hooks.cache.match import match_record
from aicc_hooks.commands import _home
from aicc_hooks.commands._gateway import RunningGateway
from aicc_hooks.errors import AiccError, OpsError
from aicc_hooks.home import home_dir
from aicc_hooks.policy import Policy
from aicc_hooks.scan import BadLine, parse_line

_BATCH: Final = 64
# What docs/cache.md measured with MiniLM; only `match` uses it, and says so. The tier itself stays off.
_UNCALIBRATED: Final = 0.75
_port = click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the gateway [AICC_ROUTER_PORT or 4000]."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("cache")
def command() -> None:
    """What is answered from the cache: figures, entries, clearing, calibration."""


@command.command("stats")
@_port
@_json
def stats(port: int | None, as_json: bool) -> None:
    """Hits, bytes, evictions and times of the gateway (with several workers: of the one that answers)."""
    with RunningGateway(port) as gateway:
        found = gateway.get("/aicc/cache")
    if as_json:
        _home.echo_json(found)
    else:
        click.echo("\n".join(_screen(found)))


@command.command("inspect")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@_port
@_json
def inspect(limit: int, port: int | None, as_json: bool) -> None:
    """The newest entries: keyed hash, model group, age, size. Never their text."""
    with RunningGateway(port) as gateway:
        rows = gateway.get(f"/aicc/cache/entries?limit={limit}")["entries"]
    if as_json:
        _home.echo_json(rows)
        return
    cells = [
        (
            row["key"],
            row.get("problem")
            or f"{row['meta'].get('group', '-')} {row['meta'].get('endpoint', '')}".strip(),
            row.get("bytes", row.get("stored_bytes", "-")),
            f"{row['age']:.0f}" if "age" in row else "-",
            row.get("ttl", "-"),
        )
        for row in rows
    ]
    click.echo(
        _home.table(cells, ("key", "what", "bytes", "age s", "ttl s")) if cells else "The cache is empty."
    )


@command.command("clear")
@_port
@_json
def clear(port: int | None, as_json: bool) -> None:
    """Forget every answer, in memory and Redis; other gateways follow within two seconds."""
    with RunningGateway(port) as gateway:
        found = gateway.post("/aicc/cache/clear")
    if as_json:
        _home.echo_json(found)
    else:
        click.echo(f"{found['cleared']} answers forgotten.")


@command.command("calibrate")
@click.option("--bound", type=click.FloatRange(0, 0.1, min_open=True),
              help="Share of different questions that may be answered wrongly [cache.false_hit_bound].")  # fmt: skip
@_port
@_json
def calibrate(bound: float | None, port: int | None, as_json: bool) -> None:
    """Find the similarity from which your embedder may propose answers, and switch the semantic tier on.

    Runs the shipped pairs through the gateway. Ends with 1, and the tier stays off, when the bound cannot be met.
    """
    policy = _home.current_policy()
    pairs = calibration.shipped_pairs()
    texts = sorted({text for pair in pairs for text in (pair.a, pair.b)})
    with RunningGateway(port) as gateway:
        state = gateway.get("/aicc/cache")["semantic"]
        if not state["embedder"]:
            raise OpsError(f"the embedder cannot be used: {state['why']}")
        vectors: dict[str, list[float]] = {}

        async def embed(text: str) -> Sequence[float]:
            if not vectors:
                vectors.update(_embed_all(gateway, policy, texts))
            return vectors[text]

        wanted = policy.cache.false_hit_bound if bound is None else bound
        try:
            result = asyncio.run(
                calibration.calibrate(embed, embedder=state["embedder"], bound=wanted, pairs=pairs)
            )
        except ValueError as error:
            raise OpsError(f"{policy.cache.semantic_embedder}: {error}") from None
    result = replace(result, at=time.time())
    calibration.save(home_dir() / calibration.FILE, result)
    threshold, why = calibration.tier_threshold(
        policy.cache.semantic, result, bound=policy.cache.false_hit_bound
    )
    if as_json:
        _home.echo_json({**asdict(result), "on": threshold is not None, "why": why})
    else:
        click.echo(f"{result.embedder}, {result.dims} dimensions, {result.pairs} pairs")
        click.echo(
            f"paraphrases answered {_home.share(result.hit_rate)}, different questions answered "
            f"{_home.share(result.false_rate)} (bound {_home.share(result.bound)})"
        )
        if threshold is not None:
            click.echo(f"Semantic answers from similarity {threshold:.4f} on; in force within 2 s.")
        else:
            click.echo(f"The semantic tier stays off: {why}.")
    sys.exit(0 if result.usable else 1)


def _embed_all(gateway: RunningGateway, policy: Policy, texts: Sequence[str]) -> dict[str, list[float]]:
    vectors: dict[str, list[float]] = {}
    with click.progressbar(
        range(0, len(texts), _BATCH), label="Embedding", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as places:
        for place in places:
            batch = texts[place : place + _BATCH]
            found = gateway.embed(policy.cache.semantic_embedder, [normalise(text) for text in batch])
            vectors |= dict(zip(batch, found, strict=True))
    return vectors


@command.command("match")
@click.option("--threshold", type=click.FloatRange(-1, 1), help="In place of the calibrated one.")
@_port
def match(threshold: float | None, port: int | None) -> None:
    """Would the answer to `a` serve `b`? JSON lines in, JSON lines out, in order.

    A line holds `a`, `b` and their vectors `vector_a`, `vector_b`; without vectors the running gateway's embedder is
    asked. Out comes {"similarity": …, "guard": "pass" or a reason, "hit": …}, for a malformed line {"error": …}.
    """
    policy = _home.current_policy()
    limit = _threshold(policy) if threshold is None else threshold
    matcher = _Matcher(policy, limit, port)
    out = sys.stdout.buffer
    try:
        for raw in sys.stdin.buffer:
            try:
                result: Mapping[str, object] = matcher.line(parse_line(raw))
            except (BadLine, ValueError, AiccError) as error:
                result = {"error": str(error)}
            except Exception as error:  # one bad line must not end the run
                result = {"error": f"line could not be judged ({type(error).__name__})"}
            out.write(orjson.dumps(result) + b"\n")
            out.flush()
    finally:
        matcher.close()


def _threshold(policy: Policy) -> float:
    known = calibration.newest(home_dir() / calibration.FILE, policy.cache.semantic_embedder)
    if known is not None and known.threshold is not None:
        return known.threshold
    click.echo(
        f"aicc: not calibrated, so lines are judged with {_UNCALIBRATED}; see `aicc cache calibrate`",
        err=True,
    )
    return _UNCALIBRATED


class _Matcher:
    """Judges lines; meets the gateway only when a line brings no vectors."""

    def __init__(self, policy: Policy, threshold: float, port: int | None) -> None:
        self._policy, self._threshold, self._port = policy, threshold, port
        self._gateway: RunningGateway | None = None

    def line(self, row: Any) -> dict[str, object]:
        """Raises ValueError or OpsError."""
        if not isinstance(row, Mapping):
            raise ValueError('found no JSON object; allowed: {"a": …, "b": …}')
        if row.get("vector_a") is None and row.get("vector_b") is None:
            a, b = row.get("a"), row.get("b")
            if not isinstance(a, str) or not isinstance(b, str) or not a.strip() or not b.strip():
                raise ValueError("a and b must be strings, and not empty")
            if self._gateway is None:
                self._gateway = RunningGateway(self._port)
            model = self._policy.cache.semantic_embedder
            vectors = self._gateway.embed(model, [normalise(a), normalise(b)])
            row = {"a": a, "b": b, "vector_a": vectors[0], "vector_b": vectors[1]}
        return match_record(row, self._threshold)

    def close(self) -> None:
        """Close the connection."""
        if self._gateway is not None:
            self._gateway.__exit__()


def _screen(found: Mapping[str, Any]) -> list[str]:
    if not found["enabled"]:
        return ["The cache is off (policy cache.enabled)."]
    hits = found.get("hits") or {}
    memory, shared, semantic = found["memory"], found.get("shared"), found["semantic"]
    times = found.get("latency_ms") or {}
    lines = [
        f"hit rate   {_home.share(found['hit_rate'])}   "
        + "   ".join(f"{tier} {hits.get(tier, 0):,}" for tier in ("memory", "redis", "semantic"))
        + f"   misses {found['misses']:,}   shared calls {found['single_flight']['followers']:,}",
        f"memory     {memory['entries']:,} answers, {_size(memory['bytes'])} of {_size(memory['max_bytes'])}, "
        f"{memory['evictions']:,} evicted",
        "redis      "
        + (
            f"{found['redis'].get('status', 'off')}: nothing is known"
            if shared is None
            else f"{shared['entries']:,} answers, {_size(shared['bytes'])}, {shared['evictions']:,} evicted"
        ),
    ]
    if semantic["on"]:
        lines.append(
            f"semantic   {semantic.get('entries', 0):,} questions, {_size(semantic.get('bytes') or 0)}, "
            f"from similarity {semantic['threshold']:.4f}"
        )
    else:
        lines.append(f"semantic   off: {semantic['why']}")
    for title, name in (("not asked", "bypasses"), ("not kept", "refused"), ("guard", "guard")):
        if found.get(name):
            lines.append(
                f"{title:<10} " + ", ".join(f"{why} {count:,}" for why, count in found[name].items())
            )
    rows = [(tier, f"{t['count']:,}", f"{t['mean']:.2f}") for tier, t in times.items()]
    if rows:
        lines += ["", _home.table(rows, ("lookup", "count", "mean ms"))]
    return lines


def _size(count: float) -> str:
    return f"{count / 1e6:.1f} MB"
