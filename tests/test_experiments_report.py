"""What a report claims, on simulated users: false alarms, power, intervals; and the command on a real usage.db."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.experiments.assignment import pick
from aicc_hooks.experiments.overview import shadowed
from aicc_hooks.experiments.report import Row, build, load_rows
from aicc_hooks.experiments.schema import ExperimentConfig
from aicc_hooks.experiments.show import as_html, chart, panel_lines, panels
from aicc_hooks.experiments.stats import difference, mean_of, needed, t_quantile
from aicc_hooks.record import Record, RecordConfig, Spool, SpoolReader, give_feedback, schema
from aicc_hooks.record import rows as record_rows

CONFIG = ExperimentConfig.model_validate(
    {
        "name": "e",
        "minimum_effect": 0.1,
        "variants": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50}],
    }
)


def simulate(
    seed: int, *, users: int, effect: float = 0.0, alike: float = 0.6, requests: float = 4.0
) -> dict[str, dict[str, list[float]]]:
    """Thumbs by variant and user. Users differ (`alike`: spread of their own rate) and come more or less often."""
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, list[float]]] = {"a": {}, "b": {}}
    for number in range(users):
        user = f"{seed}-{number}"
        variant = pick("s", "e", CONFIG.variants, user).name
        rate = float(np.clip(0.5 + alike * (rng.random() - 0.5) + (effect if variant == "b" else 0.0), 0, 1))
        count = 1 + rng.poisson(requests - 1)
        found[variant][user] = (rng.random(count) < rate).astype(float).tolist()
    return found


def claims(found: dict[str, dict[str, list[float]]], *, looks: float = 1.0) -> bool:
    return difference(mean_of(found["a"]), mean_of(found["b"]), looks=looks).sure


def test_a_a_runs_raise_at_most_the_stated_alarms() -> None:
    runs = 1000
    alarms = sum(claims(simulate(seed, users=60)) for seed in range(runs))
    assert alarms / runs <= 0.05, f"{alarms} of {runs}"
    assert alarms, "a test that never fires would pass this without looking"


def test_looking_every_day_does_not_raise_more_alarms() -> None:
    runs, days, alarms = 300, 10, 0
    for seed in range(runs):
        everything = simulate(10_000 + seed, users=200)
        users = [list(v.items()) for v in everything.values()]
        for day in range(1, days + 1):
            part = {name: dict(u[: len(u) * day // days]) for name, u in zip(everything, users, strict=True)}
            if claims(part, looks=day / days):
                alarms += 1
                break
    assert alarms / runs <= 0.05, f"{alarms} of {runs}"


def test_a_test_that_took_requests_for_independent_would_alarm_too_often() -> None:
    """Why units are users: the same data, each request as a unit of its own."""
    alarms = 0
    for seed in range(300):
        found = simulate(seed, users=60, alike=1.0, requests=12.0)
        single = {
            v: {f"{u}-{i}": [x] for u, xs in users.items() for i, x in enumerate(xs)}
            for v, users in found.items()
        }
        alarms += claims(single)
    assert alarms / 300 > 0.1


def test_the_planned_sample_finds_the_planned_effect() -> None:
    pilot = simulate(1, users=400)
    plan = needed(mean_of(pilot["a"]), mean_of(pilot["b"]), 0.1)
    users = int(2 * plan / 4.0)
    runs = 200
    found = sum(claims(simulate(50_000 + seed, users=users, effect=0.1)) for seed in range(runs))
    assert 0.72 <= found / runs <= 0.92, f"{found} of {runs} with {users} users"


def test_intervals_hold_the_truth() -> None:
    held = 0
    for seed in range(300):
        found = simulate(90_000 + seed, users=200, effect=0.05, alike=0.4)
        gap = difference(mean_of(found["a"]), mean_of(found["b"]))
        held += gap.low <= 0.05 <= gap.high
    assert held / 300 >= 0.95


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


def rows(found: dict[str, dict[str, list[float]]]) -> list[Row]:
    return [
        Row(variant, f"user {user}", False, 100.0, 20, False, score)
        for variant, users in found.items()
        for user, scores in users.items()
        for score in scores
    ]


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
    assert build(CONFIG, []).verdict == "no difference yet, at least 20 more scored requests in each variant"


def test_many_requests_of_few_users_are_no_proof_of_equality() -> None:
    found = build(CONFIG, rows({"a": {"u": [1.0] * 4000}, "b": {"v": [0.0] * 4000}}))
    assert found.verdict == "too few users to tell"
    assert found.comparisons[0].verdict == "too few users to tell: at least 10 in each variant"


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
    for seed in range(200):
        rng = np.random.default_rng(seed)
        data = [
            Row("ab"[user % 2], f"user {user}", bool(rng.random() < 0.03), 1.0, 1, False, None)
            for user in range(600)
            for _ in range(1 + rng.poisson(1))
        ]
        for day in range(1, 11):
            found = build(config, data[: len(data) * day // 10]).comparisons[0]
            alarms += found.sure
            cleared += found.have >= found.want and found.have < 100
            if found.sure or found.have >= found.want:
                break
    assert alarms / 200 <= 0.05
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
    lopsided = [Row("a", f"user {i}", False, 1.0, 1, False, None) for i in range(300)]
    lopsided += [Row("b", f"user b{i}", False, 1.0, 1, False, None) for i in range(100)]
    found = " ".join(build(CONFIG, [*lopsided, Row("gone", "key", False, 1.0, 1, False, None), Row("b", "key", False, 1.0, 1, False, None),
                                    Row("b", "user 1", False, 1.0, 1, False, None)]).warnings)  # fmt: skip
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


def test_a_database_of_the_schema_before_prompts_is_read_and_then_migrated(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    old = sqlite3.connect(path)
    for script in schema.MIGRATIONS[:3]:
        old.executescript(script)
    columns = [
        name for name in record_rows.COLUMNS if not name.startswith("prompt_") or name == "prompt_tokens"
    ]
    values = dict(
        zip(
            record_rows.COLUMNS,
            record_rows.to_row(Record(id="old", start=1.0, end=2.0, variant="e:a")),
            strict=True,
        )
    )
    old.execute(
        f"INSERT INTO records ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        [values[c] for c in columns],
    )
    old.execute("PRAGMA user_version = 3")
    old.commit()
    old.close()
    with SpoolReader(path) as reader:
        assert [(r["id"], r["prompt_name"]) for r in reader.recent()] == [("old", "")]
        assert len(load_rows(reader)["e"]) == 1
    spool = Spool(path, RecordConfig()).start()
    spool.put(Record(id="new", start=1.0, end=2.0, variant="e:b", prompt_name="support", prompt_version=3))
    assert spool.close()
    with SpoolReader(path) as reader:
        assert [(r["id"], r["prompt_name"], r["prompt_version"]) for r in reader.recent()] == [
            ("new", "support", 3), ("old", "", 0),
        ]  # fmt: skip
        found = reader.get("new")
    assert found is not None
    assert (found.prompt_name, found.prompt_version) == ("support", 3)
