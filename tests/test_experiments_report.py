"""What a report claims, on simulated users: false alarms, power, intervals; and the command on a real usage.db."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.experiments.overview import shadowed
from aicc_hooks.experiments.report import build
from aicc_hooks.experiments.rows import Row, load_rows
from aicc_hooks.experiments.schema import ExperimentConfig
from aicc_hooks.experiments.show import as_html, chart, panel_lines, panels
from aicc_hooks.experiments.stats import (
    Mean,
    as_share,
    difference,
    interval,
    mean_of,
    mean_of_sums,
    needed,
    t_quantile,
)
from aicc_hooks.experiments.units import UNNAMED
from aicc_hooks.record import Record, RecordConfig, Spool, SpoolReader, give_feedback, schema
from aicc_hooks.record import rows as record_rows

CONFIG = ExperimentConfig.model_validate(
    {
        "name": "e",
        "minimum_effect": 0.1,
        "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50}],
    }
)


Counts = Callable[[np.random.Generator, int], Any]  # requests of each user


def regular(rng: np.random.Generator, users: int) -> Any:
    return 1 + rng.poisson(3, users)


def heavy(rng: np.random.Generator, users: int) -> Any:
    """Lognormal with sigma 2, as people's use of anything is."""
    return np.ceil(rng.lognormal(1.0, 2.0, users)).astype(int)


def one_of_many(rng: np.random.Generator, users: int) -> Any:
    """One user makes nine tenths of all requests."""
    counts = regular(rng, users)
    counts[0] = 9 * counts[1:].sum()
    return counts


SHAPES = {"regular": regular, "heavy": heavy, "one of many": one_of_many}


def simulate(
    seed: int, *, users: int, effect: float = 0.0, alike: float = 0.6, counts: Counts = regular, rate: float = 0.5
) -> dict[str, list[tuple[float, int]]]:  # fmt: skip
    """Thumbs up and thumbs of each user, by variant. Users differ (`alike`: spread of their own rate)."""
    rng = np.random.default_rng(seed)
    number, in_b = counts(rng, users), rng.random(users) < 0.5
    own = np.clip(rate + alike * (rng.random(users) - 0.5) + effect * in_b, 0, 1)
    pairs = list(zip(rng.binomial(number, own).astype(float).tolist(), number.tolist(), strict=True))
    return {name: [p for p, b in zip(pairs, in_b, strict=True) if b == (name == "b")] for name in "ab"}


def claims(
    found: dict[str, list[tuple[float, int]]],
    *,
    looks: float = 1.0,
    mean: Callable[[Any], Mean] = mean_of_sums,
) -> bool:
    return difference(mean(found["a"]), mean(found["b"]), looks=looks).sure


@pytest.mark.parametrize("shape", SHAPES)
def test_a_a_runs_raise_at_most_the_stated_alarms(shape: str) -> None:
    runs = 1000
    alarms = sum(claims(simulate(seed, users=60, counts=SHAPES[shape])) for seed in range(runs))
    assert alarms / runs <= 0.05, f"{alarms} of {runs}"
    assert alarms, "a test that never fires would pass this without looking"


def test_a_a_runs_of_rare_failures_raise_no_more() -> None:
    alarms = 0
    for seed in range(1000):
        found = simulate(seed, users=60, alike=0.0, rate=0.02, counts=heavy)
        alarms += difference(as_share(mean_of_sums(found["a"])), as_share(mean_of_sums(found["b"]))).sure
    assert alarms / 1000 <= 0.05


@pytest.mark.parametrize("share", [0.5, 0.2, 0.1])
def test_skewed_times_and_a_small_variant_raise_no_more(share: float) -> None:
    alarms, units = 0, int(200 * share)
    for times in np.random.default_rng(7).lognormal(5.0, 1.0, (1000, 200)).tolist():
        pairs = [(time, 1) for time in times]
        alarms += difference(mean_of_sums(pairs[units:]), mean_of_sums(pairs[:units])).sure
    assert alarms / 1000 <= 0.05, f"{alarms} of 1000"


def by_request(pairs: list[tuple[float, int]]) -> Mean:
    """The textbook's mean over requests with its error over users (delta method), small-sample factor and all."""
    count, units = sum(n for _, n in pairs), len(pairs)
    value = sum(s for s, _ in pairs) / count
    squares = sum((s - value * n) ** 2 for s, n in pairs)
    return Mean(value, (squares * units / (units - 1)) ** 0.5 / count, units, count)


@pytest.mark.parametrize("shape", ["heavy", "one of many"])
def test_a_mean_over_requests_would_alarm_too_often(shape: str) -> None:
    """Why a user counts once, however often he asks."""
    runs = [simulate(seed, users=60, counts=SHAPES[shape]) for seed in range(300)]
    assert sum(claims(found, mean=by_request) for found in runs) / 300 > 0.08


def test_looking_every_day_does_not_raise_more_alarms() -> None:
    runs, days, alarms = 300, 10, 0
    for seed in range(runs):
        users = simulate(10_000 + seed, users=200, counts=heavy)
        for day in range(1, days + 1):
            part = {name: u[: len(u) * day // days] for name, u in users.items()}
            if claims(part, looks=day / days):
                alarms += 1
                break
    assert alarms / runs <= 0.05, f"{alarms} of {runs}"


def test_a_test_that_took_requests_for_independent_would_alarm_too_often() -> None:
    """Why units are users: the same data, each request as a unit of its own."""

    def single(pairs: list[tuple[float, int]]) -> Mean:
        return mean_of_sums([(float(i < up), 1) for up, n in pairs for i in range(n)])

    def often(rng: np.random.Generator, users: int) -> Any:
        return 1 + rng.poisson(11, users)

    runs = [simulate(seed, users=60, alike=1.0, counts=often) for seed in range(200)]
    assert sum(claims(found, mean=single) for found in runs) / 200 > 0.1


@pytest.mark.parametrize("shape", SHAPES)
def test_the_planned_sample_finds_the_planned_effect(shape: str) -> None:
    pilot = simulate(1, users=400, counts=SHAPES[shape])
    plan = needed(mean_of_sums(pilot["a"]), mean_of_sums(pilot["b"]), 0.1)
    runs = 200
    tried = (
        simulate(50_000 + seed, users=2 * plan, effect=0.1, counts=SHAPES[shape]) for seed in range(runs)
    )
    found = sum(map(claims, tried))
    assert 0.72 <= found / runs <= 0.92, f"{found} of {runs} with {plan} users each"


def test_intervals_hold_the_truth() -> None:
    held = 0
    for seed in range(300):
        found = simulate(90_000 + seed, users=200, effect=0.05, alike=0.4, counts=heavy)
        gap = difference(mean_of_sums(found["a"]), mean_of_sums(found["b"]))
        held += gap.low <= 0.05 <= gap.high
    assert held / 300 >= 0.95


def test_values_without_any_spread_prove_nothing() -> None:
    a, b = (mean_of({f"{v}{i}": [v] * 3 for i in range(40)}) for v in (4.0, 5.0))
    gap = difference(a, b)
    assert (gap.value, gap.sure, gap.high) == (1.0, False, float("inf"))
    assert interval(b) is None


def test_few_users_are_no_evidence() -> None:
    a = {f"u{i}": [0.0] * 100 for i in range(5)}
    b = {f"v{i}": [1.0] * 100 for i in range(5)}
    assert not difference(mean_of(a), mean_of(b)).sure


@pytest.mark.parametrize(
    ("p", "freedom", "quantile"),
    [  # scipy.stats.t.ppf
        (0.9, 5, 1.4758840488244815), (0.975, 5, 2.5705818356363146),
        (0.9, 9, 1.3830287383966329), (0.975, 9, 2.262157162798205), (0.9995, 9, 4.780912585931217),
        (0.9, 30, 1.3104150253913955), (0.975, 30, 2.0422724563012378), (0.9995, 30, 3.6459586350420627),
        (0.9, 1000, 1.2823987214609247), (0.975, 1000, 1.9623390808264083), (0.9995, 1000, 3.300282648423944),
    ],
)  # fmt: skip
def test_t_quantiles_are_right(p: float, freedom: float, quantile: float) -> None:
    assert t_quantile(p, freedom) == pytest.approx(quantile, rel=0.005)


# --- the report -------------------------------------------------------------------------------


def rows(found: dict[str, list[tuple[float, int]]]) -> list[Row]:
    return [
        Row(variant, f"user {variant}{user}", False, 100.0, 20, False, float(i < up))
        for variant, users in found.items()
        for user, (up, count) in enumerate(users)
        for i in range(count)
    ]


def row(variant: str, unit: str, **more: Any) -> Row:
    return Row(
        **{"failed": False, "latency_ms": 1.0, "tokens": 1, "cached": False, "score": None, **more},
        variant=variant,
        unit=unit,
    )


def test_verdicts_in_plain_words() -> None:
    better = build(CONFIG, rows(simulate(3, users=800, effect=0.3)))
    assert better.verdict == "b is better"
    worse = build(CONFIG, rows(simulate(3, users=800, effect=-0.3)))
    assert worse.verdict == "a is better"
    early = build(CONFIG, rows(simulate(3, users=40)))
    assert early.verdict.startswith("no difference yet, about ")
    assert early.comparisons[0].more > 0
    same = build(CONFIG, rows(simulate(4, users=3000)))
    assert same.verdict == "no difference worth having"
    assert (
        build(CONFIG, []).verdict == "no difference yet, at least 20 more users with a score in each variant"
    )


def test_many_requests_of_few_users_are_no_proof_of_anything() -> None:
    for up in (0.0, 4000.0):
        found = build(CONFIG, rows({"a": [(4000.0, 4000)], "b": [(up, 4000)]}))
        assert found.verdict == "no difference yet, at least 19 more users with a score in each variant"


def test_whoever_asks_most_does_not_decide() -> None:
    """One person is delighted with b, in nine requests of ten; the others are of one mind about both."""
    found = simulate(5, users=400)
    counts = sum(n for _, n in found["b"])
    report = build(CONFIG, rows({**found, "b": [*found["b"], (9.0 * counts, 9 * counts)]}))
    assert report.verdict.startswith("no difference")
    assert report.variants[1].score is not None
    assert report.variants[1].score > 0.9, "the table counts requests"
    assert "one user made 90% of the requests of b" in " ".join(report.warnings)


def test_a_difference_of_users_that_requests_turn_round_is_told() -> None:
    crowd = {"a": [(1.0, 4), (3.0, 4)] * 60, "b": [(3.0, 4), (4.0, 4)] * 60}
    report = build(CONFIG, rows({"a": [*crowd["a"], (9000.0, 9000)], "b": crowd["b"]}))
    assert report.verdict == "b is better"
    assert "counted by request b differs the other way round" in " ".join(report.warnings)


def test_requests_of_nobody_stand_in_the_table_and_decide_nothing() -> None:
    data = [row("a", f"user {i}", score=float(i % 2)) for i in range(100)]
    data += [row("b", UNNAMED, score=1.0)] * 500
    report = build(CONFIG, data)
    assert report.verdict == "no difference yet, at least 20 more users with a score in each variant"
    b = report.variants[1]
    assert (b.requests, b.units, b.scores, b.score) == (500, 0, 500, 1.0)
    assert b.estimates["score"] is None
    assert "500 requests name no user or session" in " ".join(report.warnings)


def test_the_words_are_those_of_the_unit() -> None:
    config = CONFIG.model_copy(update={"unit": "conversation", "metric": "latency_ms"})
    report = build(config, [])
    assert (
        report.verdict
        == "no difference yet, at least 20 more conversations with an uncached answer in each variant"
    )
    assert report.as_dict()["unit"] == "conversations"


# --- what is worth finding --------------------------------------------------------------------


def effect_of(scores: list[float], **more: Any) -> tuple[str, str]:
    """What the report says it looks for, and its notes."""
    config = CONFIG.model_copy(update={"minimum_effect": None})
    data = [row("ab"[i % 2], f"user {i}", score=v, **more) for i, v in enumerate(scores)]
    report = build(config, data)
    return report.comparisons[0].verdict, " ".join(report.warnings)


def test_the_default_effect_has_the_scale_of_the_scores() -> None:
    rng = np.random.default_rng(1)
    thumbs = (rng.random(60) < 0.5).astype(float).tolist()
    assert effect_of(thumbs)[0].endswith("users with a score each to find 0.05")
    stars, grades = rng.integers(1, 6, 60).astype(float).tolist(), rng.normal(60, 20, 60).tolist()
    found = [float(effect_of(scores)[0].rpartition(" ")[2]) for scores in (stars, grades)]
    assert found == pytest.approx([0.2 * 1.4, 0.2 * 20], rel=0.2)
    wanted = [int(effect_of(s)[0].split()[4]) for s in (stars, grades)]
    assert wanted[0] == wanted[1], "the plan does not depend on the unit of the scale"


def test_scores_that_are_all_alike_prove_nothing() -> None:
    verdict, _ = effect_of([4.0, 5.0] * 40)
    assert "all users of a variant have the same value" in verdict
    report = build(CONFIG, [row("ab"[i % 2], f"user {i}", score=4.0 + i % 2) for i in range(80)])
    assert report.verdict == "no spread to judge by"
    assert chart(report) == []


def test_two_scales_in_one_score_are_told() -> None:
    mixed = "mixed in one score"
    assert mixed not in effect_of([0.0, 1.0] * 20, thumbs=True)[1]
    assert mixed not in effect_of([1.0, 5.0] * 20)[1], "one star of five is no thumb"
    data = [row("a", "user 1", score=1.0, thumbs=True), row("b", "user 2", score=4.0)]
    assert mixed in " ".join(build(CONFIG, data).warnings)


# --- one name, several runs -------------------------------------------------------------------


def test_only_what_came_between_start_and_stop_counts() -> None:
    config = ExperimentConfig.model_validate(
        {**CONFIG.model_dump(), "start": "2026-01-01T00:00:00Z", "stop": "2026-02-01T00:00:00Z"}
    )
    january = 1_767_225_600.0
    data = [row("a", f"user {i}", at=january + days * 86_400) for i, days in enumerate((-1, 0, 30, 31))]
    report = build(config, data)
    assert report.variants[0].requests == 2
    assert "2 requests from before the start or after the stop" in " ".join(report.warnings)


def changed(*contents: tuple[str, str], config: ExperimentConfig = CONFIG) -> Any:
    """A report of rows (variant, content), one a second. `now` stands for what the file says."""
    now = {v.name: config.content(v) for v in config.variants}
    data = [
        row(variant, f"user {at}", at=float(at), content=now[variant] if content == "now" else content)
        for at, (variant, content) in enumerate(contents)
    ]
    report = build(config, data)
    return [v.requests for v in report.variants], " ".join(report.warnings)


def test_what_came_under_an_earlier_text_is_left_out_of_both_variants() -> None:
    counts, notes = changed(
        ("a", "now"), ("b", "old"), ("a", "now"), ("b", "old"), ("a", "now"), ("b", "now")
    )
    assert counts == [1, 1], "a's earlier days would be compared with b's later ones"
    assert "the file changed during the run (b: 2 requests" in notes
    back, _ = changed(("b", "now"), ("b", "other"), ("b", "now"), ("a", "now"))
    assert back == [1, 1], "an earlier run of the same text is another run"
    none, notes = changed(("a", "now"), ("b", "old"))
    assert none == [0, 0], "nothing came yet under what the file says now"


def test_records_from_before_contents_were_kept_still_count() -> None:
    assert changed(("a", ""), ("b", "")) == ([1, 1], "")
    counts, notes = changed(("a", ""), ("b", ""), ("a", "now"))
    assert counts == [2, 1]
    assert "2 requests are from before the record kept what a variant did" in notes
    by_talk = CONFIG.model_copy(update={"unit": "conversation"})
    assert changed(("a", ""), ("b", "now"), config=by_talk)[0] == [0, 1], "those were dealt by user"


def test_no_failure_among_few_is_no_proof_of_equality() -> None:
    config = CONFIG.model_copy(update={"metric": "error_rate", "minimum_effect": 0.02})

    def verdict(users: int) -> str:
        data = [Row(v, f"user {v}{i}", False, 1.0, 1, False, None) for v in "ab" for i in range(users)]
        return build(config, data).comparisons[0].verdict

    assert verdict(15).startswith("no difference yet, about ")
    assert verdict(400).startswith("no difference of 0.02 or more")


def test_a_a_runs_through_the_whole_report_looked_at_every_day() -> None:
    """Rare failures, the plan made anew from the data at each look: neither false alarms nor early all-clears."""
    config = CONFIG.model_copy(update={"metric": "error_rate", "minimum_effect": 0.05})
    alarms = cleared = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        data = [
            Row("ab"[user % 2], f"user {user}", bool(rng.random() < 0.03), 1.0, 1, False, None)
            for user in range(600)
            for _ in range(1 + rng.poisson(1))
        ]
        for day in range(1, 11):
            found = build(config, data[: len(data) * day // 10]).comparisons[0]
            alarms += found.sure
            cleared += found.have >= found.want and found.have < 50
            if found.sure or found.have >= found.want:
                break
    assert alarms / 100 <= 0.05
    assert cleared == 0


def test_lower_latency_and_fewer_errors_are_better() -> None:
    def made(metric: str) -> str:
        config = CONFIG.model_copy(
            update={"metric": metric, "minimum_effect": 0.1 if metric == "error_rate" else 10.0}
        )
        data = [
            Row(
                v,
                f"user {v}{i}",
                v == "a" and i % 2 == 0,
                300.0 + i % 7 if v == "a" else 100.0 + i % 5,
                30 if v == "a" else 10 + i % 3,
                False,
                None,
            )
            for v in ("a", "b")
            for i in range(400)
        ]
        return build(config, data).verdict

    assert [made(m) for m in ("latency_ms", "error_rate", "tokens")] == ["b is better"] * 3


def test_warnings_tell_what_spoils_a_comparison() -> None:
    lopsided = [row("a", f"user {i}") for i in range(300)] + [row("b", f"user b{i}") for i in range(100)]
    found = " ".join(
        build(CONFIG, [*lopsided, row("gone", UNNAMED), row("b", UNNAMED), row("b", "user 1")]).warnings
    )
    for word in ("not spread as the weights say", "name no user", "more than one variant", "no longer has"):
        assert word in found


def test_chart_and_page_show_every_variant_and_escape() -> None:
    report = build(CONFIG, rows(simulate(3, users=400, effect=0.3)))
    drawn = chart(report)
    assert len(drawn) == 2
    assert "●" in drawn[1]
    html = as_html(report)
    assert "<svg" in html
    assert "<li>b: b is better: " in html
    assert '<th scope="row">b</th>' in html
    assert html.count("<figure>") == len(panels(report)) == 4
    assert panels(report)[0]["metric"] == "score"
    drawn = panel_lines(report)
    assert sum("●" in line for line in drawn) == 8
    assert " style=" not in html
    assert "<script" not in as_html(build(CONFIG.model_copy(update={"name": "<script>"}), []))


def test_intervals_of_one_variant() -> None:
    def estimate(values: list[float], metric: str = "score") -> Any:
        data = [
            Row("a", f"user {i}", metric == "error_rate" and v == 1, 10.0, 1, False, v)
            for i, v in enumerate(values)
        ]
        return build(CONFIG, data).variants[0].estimates[metric]

    assert estimate([1.0] * 5).low is None, "five users tell nothing of the spread"
    all_up = estimate([1.0] * 20)
    assert (all_up.value, all_up.high) == (1.0, 1.0)
    assert 0.7 < all_up.low < 0.9, "twenty thumbs up are no proof of always"
    none_failed = estimate([0.0] * 50, "error_rate")
    assert none_failed.low == 0.0
    assert 0.03 < none_failed.high < 0.12
    wide = estimate([float(i % 10) for i in range(200)])
    assert wide.low < 4.5 < wide.high
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        one = estimate((rng.random(40) < 0.9).astype(float).tolist())
        held += one.low <= 0.9 <= one.high
    assert held / 300 >= 0.92


def test_a_prompt_that_changed_during_the_run_is_told() -> None:
    def found(*prompts: str) -> str:
        data = [Row("b", f"user {i}", False, 1.0, 1, False, None, p) for i, p in enumerate(prompts)]
        return " ".join(build(CONFIG, data).warnings)

    assert "support@1, support@2" in found("support@1", "support@2")
    assert "fallback text only" in found("support@fallback")
    assert found("support@2", "support@2") == ""


def test_an_experiment_that_gets_no_request_is_named() -> None:
    def named(**target: Any) -> list[tuple[str, str]]:
        arms = [{"name": "a", "weight": 50}, {"name": "b", "weight": 50}]
        first = ExperimentConfig.model_validate({"name": "one", "variants": arms, **target})
        return list(shadowed([first, ExperimentConfig.model_validate({"name": "two", "variants": arms})]))

    assert named() == [("two", "one")]
    assert named(percentage=50) == []
    assert named(target={"models": ["gpt-4o"]}) == []


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AICC_HOME", str(tmp_path))
    (tmp_path / "experiments.yaml").write_text(
        "experiments: [{name: brief, metric: score, minimum_effect: 0.3, variants: [{name: a, weight: 50}, {name: b, weight: 50, system: {text: S}}]}]"
    )
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(group, ["experiments", *arguments])
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.output


def test_list_assign_and_report_read_what_was_recorded(home: Path) -> None:
    assert "brief" in run("list")
    assert "runs" in run("list")
    assert run("assign", "--user", "jo") == run("assign", "--user", "jo", "--session", "x")
    with_feedback(home)
    tree = json.loads(run("report", "--json"))[0]
    assert tree["verdict"] == "b is better"
    assert [v["requests"] for v in tree["variants"]] == [120, 120]
    assert tree["variants"][0]["score"] < tree["variants"][1]["score"]
    text = run("report")
    assert "b is better" in text
    assert "●" in text
    page = home / "report.html"
    run("report", "--html", str(page))
    assert "b is better" in page.read_text()
    whole = CliRunner().invoke(group, ["report", "--html", str(page)])
    assert "experiment (runs) brief: b is better" in whole.output, whole.output
    assert "b is better" in page.read_text()
    assert "<script" not in page.read_text()
    (home / "experiments.yaml").unlink()
    CliRunner().invoke(group, ["report", "--html", str(page)])
    assert "No experiment is running" in page.read_text()
    (home / "experiments.yaml").write_text("experiments: 3")
    broken = CliRunner().invoke(group, ["report", "--html", str(page)])
    assert broken.exit_code == 0, broken.output
    assert "experiments.yaml: experiments" in broken.output
    assert "experiments.yaml: experiments" in page.read_text()


def test_assign_says_what_it_goes_by(home: Path) -> None:
    def assigned(unit: str, *arguments: str) -> tuple[str, str]:
        arms = "[{name: a, weight: 50}, {name: b, weight: 50}]"
        (home / "experiments.yaml").write_text(f"experiments: [{{name: e, unit: {unit}, variants: {arms}}}]")
        found = CliRunner().invoke(group, ["experiments", "assign", *arguments])
        assert found.exit_code == 0, found.output
        return found.stdout.strip(), found.stderr.strip()

    assert assigned("user", "--user", "jo")[1] == "note: by user"
    assert assigned("user", "--session", "s")[1] == "note: by session, for there is no user"
    assert "the report compares without them" in assigned("user")[1]
    texts = [assigned("conversation", "--message", f"Question {i}") for i in range(12)]
    assert {variant for variant, _ in texts} == {"e:a", "e:b"}
    assert texts[0] == assigned("conversation", "--message", "Question 0", "--user", "jo")
    assert texts[0][1] == "note: by conversation"
    anew = assigned("conversation", "--user", "jo")
    assert anew == ("e: another draw with each request", "note: by request, for there is no first message")
    assert assigned("request")[0] == anew[0]
    told = json.loads(assigned("request", "--json")[0])
    assert told == {"experiment": "e", "variant": None, "unit": "request"}


def with_feedback(home: Path) -> None:
    spool = Spool(home / "usage.db", RecordConfig()).start()
    now = time.time()
    for variant in "ab":
        for i in range(120):
            spool.put(
                Record(
                    id=f"{variant}{i}",
                    start=now,
                    end=now,
                    variant=f"brief:{variant}",
                    user=f"u{variant}{i % 60}",
                    status=200,
                    total_ms=10.0,
                )
            )
    assert spool.flush(10)
    spool.close()
    for variant in "ab":
        for i in range(120):
            assert (
                give_feedback(
                    home / "usage.db", f"{variant}{i}", float(i % (2 if variant == "a" else 10) != 0)
                )
                == "stored"
            )


def test_errors_of_the_command_are_one_line(home: Path) -> None:
    assert "no experiment 'nope'" in CliRunner().invoke(group, ["experiments", "report", "nope"]).output
    (home / "experiments.yaml").write_text(
        "experiments: [{name: e, variants: [{name: a, weight: 1}, {name: b, weight: 1}]}]"
    )
    failed = CliRunner().invoke(group, ["experiments", "list"])
    assert failed.exit_code != 0
    assert "weights sum to 2" in str(failed.exception)


@pytest.mark.parametrize("version", [3, 4])
def test_a_database_of_an_older_schema_is_read_and_then_migrated(tmp_path: Path, version: int) -> None:
    path, now = tmp_path / "usage.db", time.time()
    old = sqlite3.connect(path)
    for script in schema.MIGRATIONS[:version]:
        old.executescript(script)
    there = {found[1] for found in old.execute("PRAGMA table_info(records)")}
    columns = [name for name in record_rows.COLUMNS if name in there]
    record = Record(id="old", start=now, end=now, variant="e:a", user="u")
    values = dict(zip(record_rows.COLUMNS, record_rows.to_row(record), strict=True))
    old.execute(
        f"INSERT INTO records ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        [values[c] for c in columns],
    )
    old.execute("INSERT INTO feedback (id, score, comment, at) VALUES ('old', 1, '', ?)", (now,))
    old.execute(f"PRAGMA user_version = {version}")
    old.commit()
    old.close()

    def recorded() -> list[tuple[Any, ...]]:
        with SpoolReader(path) as reader:
            assert reader.recent()[-1]["prompt_name"] == ""
            return [(r.unit, r.content, r.score, r.thumbs) for r in load_rows(reader)["e"]]

    assert recorded() == [("user u", "", 1.0, False)]
    spool = Spool(path, RecordConfig()).start()
    spool.put(
        Record(
            id="new", start=now, end=now, variant="e:b", prompt_name="support", prompt_version=3,
            unit="request r", variant_content="c",
        )
    )  # fmt: skip
    assert spool.close()
    assert give_feedback(path, "new", 0.0, kind="thumbs") == "stored"
    assert recorded() == [("user u", "", 1.0, False), ("request r", "c", 0.0, True)]
    with SpoolReader(path) as reader:
        assert [(r["id"], r["prompt_name"], r["prompt_version"]) for r in reader.recent()] == [
            ("new", "support", 3), ("old", "", 0),
        ]  # fmt: skip
        found = reader.get("new")
    assert found is not None
    assert (found.prompt_name, found.prompt_version) == ("support", 3)
