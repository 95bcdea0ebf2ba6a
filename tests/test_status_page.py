"""The status page in a real browser and over HTTP: what it shows, who may see it, and how it takes trouble."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Attempt, Record
from aicc_hooks.record.spool import Spool
from aicc_hooks.web import session, story
from tests.browser import Browser, Page, find_chromium
from tests.harness import GatewayProcess, wait_until

KEY = "sk-status-page-test-0123456789"
SAME = {"sec-fetch-site": "same-origin"}
AXE = next(iter(sorted((Path(__file__).parents[1] / ".venv").glob("axe-core-*.js"))), None)
EVIL = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
RECORDS = 10_000


# --- the session, without a gateway ----------------------------------------------------------


def test_a_session_ends_with_its_time_its_key_or_any_change():
    value = session.issue(KEY, now=1_000.0, lifetime_s=100)
    assert session.valid(value, KEY, now=1_050.0)
    assert not session.valid(value, KEY, now=1_100.0), "expired"
    assert not session.valid(value, KEY + "x", now=1_050.0), "another key"
    assert not session.valid(value, "", now=1_050.0), "no key at all"
    version, expires, nonce, signature = value.split(".")
    for forged in (f"{version}.{int(expires) + 9}.{nonce}.{signature}", f"{version}.{expires}.x.{signature}", f"{version}.{expires}.{nonce}.", "", ".", "....", "é",
                   "1.9999999999.a." + "0" * 64, "a" * 10_000):  # fmt: skip
        assert not session.valid(forged, KEY, now=1_050.0), forged
    assert KEY not in value
    assert session.issue(KEY, now=1_000.0) != session.issue(KEY, now=1_000.0)


@pytest.mark.parametrize(
    ("headers", "get", "post"),
    [
        ({}, True, False),
        ({b"sec-fetch-site": b"same-origin"}, True, True),
        ({b"sec-fetch-site": b"none"}, True, False),
        ({b"sec-fetch-site": b"same-site"}, False, False),
        ({b"sec-fetch-site": b"cross-site"}, False, False),
        (
            {
                b"sec-fetch-site": b"cross-site",
                b"origin": b"http://localhost:4000",
                b"host": b"localhost:4000",
            },
            False,
            False,
        ),
        ({b"origin": b"http://localhost:4000", b"host": b"localhost:4000"}, True, True),
        ({b"origin": b"http://localhost:3000", b"host": b"localhost:4000"}, False, False),
        ({b"origin": b"null", b"host": b"localhost:4000"}, False, False),
        ({b"origin": b"http://[", b"host": b"localhost:4000"}, False, False),
    ],
)
def test_only_our_own_origin_may_use_a_session(headers, get, post):
    assert (session.same_origin(headers, "GET"), session.same_origin(headers, "POST")) == (get, post)


def test_a_record_is_told_step_by_step():
    record = Record(id="a", start=0, end=1, endpoint="chat", requested="auto", route="llama-fast", reason="privacy:us_ssn", sentence="Holds us_ssn.", privacy=("us_ssn",),
                    privacy_counts={"us_ssn": 2}, local_only=True, cache="bypass", tier="simple", deployment="ollama_chat/m", attempts=(Attempt("ollama_chat/x", "timeout"),),
                    gate_ms=1, hooks_ms=2, upstream_ms=90, total_ms=100, status=200, prompt_tokens=5, completion_tokens=6, client="n8n", cold_start=True)  # fmt: skip
    told = {s["title"]: s["text"] for s in story.steps(record)}
    assert list(told) == [
        "Arrived",
        "Privacy",
        "Injection",
        "Complexity",
        "Decision",
        "Cache",
        "Model",
        "Answer",
    ]
    assert told["Arrived"] == "n8n asked chat for model auto."
    assert "us_ssn ×2" in told["Privacy"]
    assert "stays on this machine" in told["Privacy"]
    assert "ollama_chat/x failed (timeout)" in told["Model"]
    assert "loaded first" in told["Model"]
    assert sum(part["ms"] for part in story.timing(record)) == 100
    hit = story.steps(
        Record(
            id="b", start=0, end=1, cache="semantic", cache_similarity=0.97, route="r", status=200, total_ms=3
        )
    )
    assert "Model" not in [s["title"] for s in hit]
    assert "0.970" in next(s["text"] for s in hit if s["title"] == "Cache")


# --- a gateway with ten thousand requests behind it ------------------------------------------


def _fill(path: Path) -> None:
    now, chance = time.time(), random.Random(7)
    spool = Spool(path, RecordConfig(queue_size=20_000)).start()
    for i in range(RECORDS):
        ago = 60 + 3_300 * (1 - i / RECORDS) ** 1.25
        took = 12.0 if i % 4 == 0 else 600 * chance.lognormvariate(0, 0.6)
        private, hit = i % 10 == 3, i % 4 == 0
        route = "llama-fast" if private or i % 3 else "qwen-local"
        spool.put(
            Record(
                id=f"{i:08x}-seed", start=now - ago - took / 1000, end=now - ago, endpoint="chat", requested="auto", route=route,
                reason="privacy:us_ssn" if private else "complexity:simple" if i % 3 else "complexity:medium", sentence=f"Sent to {route}.",
                deployment=f"ollama_chat/{route}", tier="simple" if i % 3 else "medium", privacy=("us_ssn",) if private else (), local_only=private,
                cache="bypass" if private else "exact" if hit else "miss", status=503 if i % 50 == 7 else 200, error="aicc_upstream_down" if i % 50 == 7 else "",
                client="n8n" if i % 2 else "curl", total_ms=took, first_token_ms=took * 0.3, gate_ms=1.0, hooks_ms=2.0, cache_ms=1.0,
                upstream_ms=None if hit else took - 8, prompt_tokens=40, completion_tokens=20, variant=f"prompt-test:{'b' if i % 40 == 1 else 'a'}" if i % 20 == 1 else "", user=f"u{i % 400}",
                injection=0.8 if i % 40 == 9 else 0.01, injection_rules=("override",) if i % 40 == 9 else (),
                input={"messages": [{"role": "user", "content": EVIL if i == RECORDS - 1 else f"question {i} of [EMAIL]"}]}, output={"role": "assistant", "content": "answer"},
            )
        )  # fmt: skip
    assert spool.close(60)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    home = tmp_path_factory.mktemp("home")
    _fill(home / "usage.db")
    quiet = {"alerts": {"rules": {"slow_p95": {"enabled": False}}}}
    arms = [{"name": "a", "weight": 50}, {"name": "b", "weight": 50, "system": {"text": "Be brief."}}]
    tried = {
        "experiments": [{"name": "prompt-test", "metric": "latency_ms", "percentage": 0, "variants": arms}]
    }
    with GatewayProcess(
        command=("aicc", "serve", "--demo"), home=home, key=KEY, policy=quiet, experiments=tried
    ) as process:
        yield process


@pytest.fixture
def anyone(demo: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def keyed(demo: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=demo.url, trust_env=False, timeout=20, headers={"authorization": f"Bearer {KEY}"}
    ) as client:
        yield client


@pytest.fixture
def cookie() -> dict[str, str]:
    return {"cookie": f"{session.COOKIE}={session.issue(KEY, now=time.time())}"}


CLOSED = [
    "/aicc/status",
    "/aicc/metrics",
    "/aicc/events",
    "/aicc/api/state",
    "/aicc/api/overview",
    "/aicc/api/requests",
    "/aicc/api/requests/x",
    "/aicc/api/scorecard",
    "/aicc/api/experiments",
]


@pytest.mark.live
@pytest.mark.parametrize("path", CLOSED)
def test_data_needs_the_key_or_a_session(anyone: httpx.Client, cookie: dict[str, str], path: str) -> None:
    expired = {"cookie": f"{session.COOKIE}={session.issue(KEY, now=time.time() - 100, lifetime_s=50)}"}
    foreign = {"cookie": f"{session.COOKIE}={session.issue('another-key', now=time.time())}"}
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        expired,
        foreign,
        {**cookie, "sec-fetch-site": "same-site"},
        {**cookie, "origin": "http://localhost:9"},
    ):
        answer = anyone.get(path, headers=headers)
        assert answer.status_code == 401, headers
        assert answer.json()["error"]["type"] == "invalid_api_key"
    if path != "/aicc/events":
        assert anyone.get(path, headers=cookie).status_code in (200, 404)


@pytest.mark.live
def test_the_shell_is_open_holds_nothing_and_is_strict(anyone: httpx.Client, cookie: dict[str, str]) -> None:
    assert anyone.get("/aicc").headers["location"] == "/aicc/login"
    page, login = anyone.get("/aicc", headers=cookie), anyone.get("/aicc/login")
    for answer in (page, login, anyone.get("/aicc/static/app.js"), anyone.get("/aicc/static/theme.css")):
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert KEY not in answer.text
    assert " style=" not in page.text + login.text
    assert "http" not in page.text + login.text.replace("http-equiv", "")
    for name in ("../session.py", "..%2fsession.py", "%2e%2e/%2e%2e/cli.py", "nothing.js", "theme.css.map"):
        assert anyone.get(f"/aicc/static/{name}").status_code in (401, 404)


@pytest.mark.live
def test_the_key_is_needed_once_and_the_cookie_opens_only_our_pages(demo: GatewayProcess) -> None:
    with httpx.Client(base_url=demo.url, trust_env=False, timeout=20) as browser:
        wrong = browser.post("/aicc/login", data={"key": "wrong"}, headers=SAME)
        assert (wrong.status_code, wrong.headers["location"]) == (303, "/aicc/login?problem=wrong")
        for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
            answer = browser.post("/aicc/login", data={"key": KEY}, headers=headers)
            assert answer.headers["location"] == "/aicc/login?problem=origin"
        assert not browser.cookies
        right = browser.post("/aicc/login", data={"key": KEY}, headers=SAME)
        assert (right.status_code, right.headers["location"]) == (303, "/aicc")
        flags = right.headers["set-cookie"]
        for flag in ("HttpOnly", "SameSite=Strict", "Path=/aicc"):
            assert flag in flags
        assert KEY not in flags
        assert browser.get("/aicc/api/state").status_code == 200
        mine = {"cookie": flags.split(";")[0], **SAME}
        chat = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
        assert browser.post("/v1/chat/completions", json=chat, headers=mine).status_code == 401, (
            "a session is no key"
        )
        assert browser.post("/aicc/explain", json=chat).status_code == 401, (
            "a POST must say where it comes from"
        )
        assert browser.post("/aicc/explain", json=chat, headers=SAME).status_code == 200
        out = browser.post("/aicc/logout", headers=SAME)
        assert "Max-Age=0" in out.headers["set-cookie"]


@pytest.mark.live
def test_numbers_are_those_of_the_record(keyed: httpx.Client) -> None:
    found = keyed.get("/aicc/api/overview", params={"range": "6h"}).json()
    assert found["totals"]["requests"] >= RECORDS
    assert found["privacy"]["types"]["us_ssn"] >= RECORDS / 10
    status = keyed.get("/aicc/status").json()
    assert status["gateway"]["workers"] == 1
    assert status["delivery"]["records"] >= RECORDS
    assert "aicc_requests_total" in keyed.get("/aicc/metrics").text
    listed = keyed.get(
        "/aicc/api/requests", params={"errors": "1", "route": "qwen-local", "limit": 5}
    ).json()["requests"]
    assert [(r["status"], r["route"]) for r in listed] == [(503, "qwen-local")] * 5
    assert "input" not in listed[0]
    assert keyed.get(f"/aicc/api/requests/{listed[0]['id']}").json()["steps"][0]["title"] == "Arrived"


@pytest.mark.live
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("overview?range=99999d", 400), ("overview?range=", 400), ("overview?range=1h%00", 400),
        ("requests?limit=x", 400), ("requests?limit=1e99", 400), ("requests?before=-5", 400), ("requests?before=99999999999999999999", 400),
        ("requests?since=nan", 400), ("requests?until=1e400", 400), ("requests?since=%27;drop+table+records", 400),
        ("requests?limit=999999999", 200), ("requests?limit=-3", 200), ("requests?route=%27+OR+1=1--", 200), ("requests?route=" + "x" * 5000, 200),
        ("requests/" + "x" * 3000, 404), ("requests/%00", 404), ("nothing", 404),
    ],
)  # fmt: skip
def test_absurd_questions_get_a_clear_answer(keyed: httpx.Client, path: str, status: int) -> None:
    answer = keyed.get(f"/aicc/api/{path}")
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()["requests"]) <= 500
    for sign in ("Traceback", "sqlite", "/work", ".py"):
        assert sign not in answer.text


@pytest.mark.live
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"what": "all"}',
        b'{"what": "all", "minutes": 1e9}',
        b'{"what": "all", "minutes": "x"}',
        b"x" * 100_000,
    ],
)
def test_a_wrong_silence_is_refused(keyed: httpx.Client, body: bytes) -> None:
    assert keyed.post("/aicc/api/silence", content=body).status_code == 400


def _events(
    client: httpx.Client,
    *,
    until: str,
    meanwhile: Callable[[], object],
    timeout: float = 60,
    headers: dict[str, str] | None = None,
) -> list[tuple[str, Any]]:
    """Events up to the first one named `until`. `meanwhile` is called at the first event: the stream listens by then."""
    found: list[tuple[str, Any]] = []
    deadline = time.monotonic() + timeout
    with client.stream("GET", "/aicc/events", headers=headers, timeout=timeout) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
                if len(found) == 1:
                    meanwhile()
                if name == until:
                    break
            assert time.monotonic() < deadline
    return found


@pytest.mark.live
def test_events_bring_new_requests_and_cannot_be_forged(demo: GatewayProcess, keyed: httpx.Client) -> None:
    evil = 'x"\n\nevent: state\ndata: {"forged": true}\n\n'
    body = {
        "model": "auto",
        "messages": [{"role": "user", "content": "event test"}],
        "user": evil,
        "metadata": {"session_id": evil},
    }
    agent = {"user-agent": evil.replace("\n", " ").strip()}
    found = _events(
        keyed,
        until="requests",
        meanwhile=lambda: keyed.post("/v1/chat/completions", json=body, headers=agent),
        headers={"last-event-id": "-1\tforged"},
    )
    assert {name for name, _ in found} == {"state", "requests"}
    assert not any("forged" in value for name, value in found if name == "state")
    (new,) = found[-1][1]
    assert new["status"] == 200
    assert "input" not in new


# --- in the browser --------------------------------------------------------------------------

browser_test = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium: run tests/install_chromium.sh"
)
READY = "document.querySelector('#list tbody tr') && document.querySelectorAll('#c-requests .bar').length && document.querySelector('#health li')"


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    program = find_chromium()
    assert program is not None
    with Browser(program) as page:
        yield page


@pytest.fixture
def page(tab: Page, demo: GatewayProcess) -> Page:
    """Logged in, at the top of the status page, light, on a desktop."""
    tab.size(1280, 900)
    tab.scheme("light")
    tab.go(demo.url + "/aicc")
    if tab.js("location.pathname") == "/aicc/login":
        tab.wait("document.activeElement.id === 'key'")
        tab.type(KEY)
        tab.press("Enter")
    tab.wait(f"location.pathname === '/aicc' && {READY}")
    tab.errors.clear()
    return tab


@pytest.mark.live
@browser_test
def test_login_with_a_wrong_key_then_the_right_one(tab: Page, demo: GatewayProcess) -> None:
    tab.size(1280, 900)
    tab.go(demo.url + "/aicc")
    tab.wait("location.pathname === '/aicc/login' && document.activeElement.id === 'key'")
    tab.type("not the key")
    tab.press("Enter")
    tab.wait("document.getElementById('problem')?.textContent.includes('not this gateway')")
    tab.type(KEY)
    tab.press("Enter")
    tab.wait(f"location.pathname === '/aicc' && {READY}")
    assert tab.errors == []
    assert tab.js("document.cookie") == "", "scripts cannot read the session"


@pytest.mark.live
@browser_test
def test_the_page_shows_the_numbers_and_asks_nobody_else(
    page: Page, keyed: httpx.Client, demo: GatewayProcess
) -> None:
    page.js(
        "(() => { const r = document.getElementById('range'); r.value = '6h'; r.dispatchEvent(new Event('change')) })()"
    )
    page.wait("document.getElementById('n-rate').textContent.includes('10,0')")
    found = keyed.get("/aicc/api/overview", params={"range": "6h"}).json()
    shown = page.js(
        "Object.fromEntries(['v-errors', 'v-cache', 'n-rate', 'n-errors'].map(i => [i, document.getElementById(i).textContent]))"
    )
    assert shown["v-cache"] == f"{found['totals']['cache_hit_rate'] * 100:.0f} %"
    assert shown["v-errors"] == f"{found['totals']['error_rate'] * 100:.1f} %"
    assert "faults" in shown["n-errors"]
    assert page.js("document.querySelectorAll('#c-requests .bar').length") > 5
    assert page.js(
        "[...document.querySelectorAll('#c-time path')].every(p => p.getAttribute('d').includes('L'))"
    )
    text = page.js("document.getElementById('main').innerText")
    for words in (
        "llama-fast",
        "us_ssn",
        "override",
        "prompt-test:a",
        "litellm",
        "saved by",
        "Waiting for Langfuse",
        "cold starts",
        "n8n",
    ):
        assert words in text, words
    assert page.errors == []
    assert {httpx.URL(url).host for url in page.asked if not url.startswith("data:")} == {"127.0.0.1"}


@pytest.mark.live
@browser_test
def test_experiments_are_reported_and_without_one_the_page_says_how_to_start(
    page: Page, keyed: httpx.Client, demo: GatewayProcess
) -> None:
    # A page asked before the gateway knew its models asks again after 30 s.
    page.wait("document.querySelectorAll('#trials figure').length >= 2", timeout=60)
    text = page.js("document.getElementById('trials').innerText")
    assert "prompt-test" in text
    assert any(words in text for words in ("no difference", "is better"))
    assert page.js("document.querySelectorAll('#trials tbody th[scope=row]').length") == 2
    label = page.js("document.querySelector('#trials svg').getAttribute('aria-label')")
    assert label.startswith("Latency of uncached answers")
    assert " to " in label
    assert page.js("document.querySelectorAll('#trials svg .interval').length") >= 2
    kept = (demo.home / "experiments.yaml").read_text()
    try:
        demo.write_home("experiments.yaml", {"experiments": []})
        # The page asks once; an answer lasts 20 times what it took to make.
        wait_until(lambda: keyed.get("/aicc/api/experiments").json()["experiments"] == [], 120)
        page.go(demo.url + "/aicc")
        page.wait("document.getElementById('trials')?.innerText.includes('To start one')")
    finally:
        (demo.home / "experiments.yaml").write_text(kept)
    assert page.errors == []


@pytest.mark.live
@browser_test
def test_ten_thousand_records_render_in_under_200_ms(page: Page) -> None:
    page.js("performance.clearMeasures('aicc:render')")
    renders = "performance.getEntriesByName('aicc:render')"
    for name in ("6h", "24h") * 3:
        before = page.js(f"{renders}.length")
        page.js(
            f"(() => {{ const r = document.getElementById('range'); r.value = '{name}'; r.dispatchEvent(new Event('change')) }})()"
        )
        page.wait(
            f"{renders}.length > {before} && document.getElementById('n-rate').textContent.startsWith('10,0')"
        )
    # The best: what else the machine does is in the others.
    assert page.js(f"Math.min(...{renders}.map(e => e.duration))") < 200


@pytest.mark.live
@browser_test
def test_filter_detail_and_hostile_text(page: Page) -> None:
    page.js(
        "(() => { const f = document.querySelector('[name=errors]'); f.value = '1'; f.dispatchEvent(new Event('change', {bubbles: true})) })()"
    )
    page.wait(
        "[...document.querySelectorAll('#list tbody .code')].every(e => +e.textContent >= 400) && document.querySelector('#list tbody .code')"
    )
    page.js(
        "(() => { const f = document.querySelector('[name=errors]'); f.value = ''; f.dispatchEvent(new Event('change', {bubbles: true})) })()"
    )
    seeded = f"#list button[data-id='{RECORDS - 1:08x}-seed']"
    page.wait(f'document.querySelector("{seeded}")')
    page.click(seeded)
    page.wait("document.querySelectorAll('#detail .steps li').length >= 7")
    body = page.js("document.getElementById('detail-body').innerText")
    assert EVIL in body
    assert "Where the time went" in body
    assert page.js("document.title") == "AI Command Center"
    page.press("Escape")
    page.wait("!document.getElementById('detail').open")
    page.js(f'document.querySelector("{seeded}").focus()')
    page.press("Enter")
    page.wait("document.getElementById('detail').open")
    page.press("Escape")
    before = page.js("document.querySelectorAll('#list tbody tr').length")
    page.click("#older")
    page.wait(f"document.querySelectorAll('#list tbody tr').length > {before}")
    assert page.errors == []


@pytest.mark.live
@browser_test
def test_try_a_prompt_explains_and_keeps_nothing(page: Page, keyed: httpx.Client) -> None:
    latest = keyed.get("/aicc/api/requests", params={"limit": 1}).json()["requests"][0]["seq"]
    page.js("document.getElementById('prompt').focus()")
    page.type("My social security number is 219-09-9999, draft a letter.")
    page.click("#try-form button")
    page.wait("document.querySelector('#explained .steps li')")
    assert "us_ssn" in page.js("document.getElementById('explained').innerText")
    assert keyed.get("/aicc/api/requests", params={"limit": 1}).json()["requests"][0]["seq"] == latest
    assert page.errors == []


@pytest.mark.live
@browser_test
def test_a_new_request_appears_by_itself(page: Page, keyed: httpx.Client) -> None:
    chat = {"model": "auto", "messages": [{"role": "user", "content": "hello there"}]}
    sent: list[str] = []

    def shown() -> bool:
        # One that ends before the page listens is not announced: ask until one is.
        sent.append(keyed.post("/v1/chat/completions", json=chat).headers["x-aicc-request-id"])
        newest = "document.querySelector('#list tbody tr button')?.dataset.id"
        with contextlib.suppress(AssertionError):
            page.wait(f"{json.dumps(sent)}.includes({newest})", timeout=4)
            return True
        return False

    wait_until(shown, 60)


@pytest.mark.live
@browser_test
def test_dark_light_and_phone(page: Page) -> None:
    light = page.js("getComputedStyle(document.body).backgroundColor")
    page.scheme("dark")
    dark = page.js("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    page.click("#theme")
    assert page.js("getComputedStyle(document.body).backgroundColor") == light, (
        "the button wins over the system"
    )
    page.click("#theme")
    page.scheme("light")
    assert page.js("getComputedStyle(document.body).backgroundColor") == dark
    page.click("#theme")
    page.size(390, 844, phone=True)
    page.wait("innerWidth === 390")
    assert page.js("document.documentElement.scrollWidth") <= 390, "nothing scrolls sideways"
    assert page.js("document.querySelector('#c-requests svg').getBoundingClientRect().right") <= 390


@pytest.mark.live
@browser_test
@pytest.mark.skipif(AXE is None, reason="no axe-core: run tests/install_chromium.sh with npm")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, scheme: str, demo: GatewayProcess) -> None:
    assert AXE is not None
    page.scheme(scheme)
    page.js(AXE.read_text())
    run = "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ' ' + v.nodes.map(n => n.html + n.failureSummary).join(' | ')))"
    assert page.js(run) == []
    page.click("#list tbody tr button")
    page.wait("document.querySelector('#detail .steps li')")
    assert page.js(run) == []
    page.press("Escape")
    page.go(demo.url + "/aicc/login")
    page.js(AXE.read_text())
    assert page.js(run) == []


@pytest.mark.live
@browser_test
def test_every_control_is_reached_by_the_tab_key(page: Page) -> None:
    seen = set()
    for _ in range(140):
        page.press("Tab")
        seen.add(
            page.js(
                "document.activeElement.id || document.activeElement.name || document.activeElement.textContent.slice(0, 20)"
            )
        )
    assert {
        "range",
        "theme",
        "Log out",
        "route",
        "errors",
        "pause",
        "older",
        "prompt",
        "try-model",
        "Explain",
        "Skip to content",
    } <= seen


@pytest.mark.live
@browser_test
@pytest.mark.skipif(
    not os.environ.get("AICC_SCREENSHOTS"), reason="only on request: AICC_SCREENSHOTS=docs/images"
)
def test_screenshots(page: Page) -> None:
    place = Path(os.environ["AICC_SCREENSHOTS"])
    time.sleep(1.5)
    page.screenshot(place / "status-light.png")
    page.scheme("dark")
    page.screenshot(place / "status-dark.png")
    page.click("#list tbody tr button")
    page.wait("document.querySelector('#detail .steps li')")
    page.screenshot(place / "status-detail.png")
    page.press("Escape")
    page.size(390, 844, phone=True, scale=2)
    page.js("scrollTo(0, 0)")
    time.sleep(0.5)
    page.screenshot(place / "status-phone.png")


# --- trouble; last, because it ends and damages things ----------------------------------------


@pytest.mark.live
@browser_test
def test_an_open_page_survives_a_restart_and_does_not_hold_it_up(page: Page, demo: GatewayProcess) -> None:
    assert demo.stop(45) in (0, -signal.SIGTERM), (
        "an open event stream must not delay the end until it is killed"
    )
    page.wait("document.getElementById('banner').textContent.includes('does not answer')")
    demo.start()
    page.wait("document.getElementById('banner').hidden")
    page.wait(READY)


@pytest.mark.live
def test_a_damaged_database_is_said_and_replaced(demo: GatewayProcess, keyed: httpx.Client) -> None:
    path = demo.home / "usage.db"
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # a busy file: reading goes on
    assert keyed.get("/aicc/api/overview").status_code == 200
    lock.execute("ROLLBACK")
    lock.close()
    garbage = path.with_name("garbage")
    garbage.write_bytes(b"this is no database" * 1_000)
    garbage.replace(path)
    time.sleep(2)  # an answer of the last second may still be shared
    answer = keyed.get("/aicc/api/overview")
    if answer.status_code != 200:  # the gateway's own writers may have replaced it by now
        assert answer.status_code == 503
        assert "usage.db" in answer.json()["error"]["message"]
    chat = {"model": "auto", "messages": [{"role": "user", "content": "after the damage"}]}
    seen = (0, "")

    def recovered() -> bool:
        # What was asked before the damage was met may be in the file that was set aside: ask until one is listed.
        nonlocal seen
        assert keyed.post("/v1/chat/completions", json=chat).status_code == 200
        found = keyed.get("/aicc/api/requests")
        seen = found.status_code, found.text[:300]
        return found.status_code == 200 and len(found.json()["requests"]) >= 1

    try:
        wait_until(recovered, 60)
    except TimeoutError:
        raise AssertionError(f"records did not come back: {seen}\n{demo.output()[-3000:].decode()}") from None


@pytest.mark.live
def test_guessing_keys_is_slowed_down(anyone: httpx.Client) -> None:
    answers = [
        anyone.post("/aicc/login", data={"key": f"guess{i}"}, headers=SAME).headers["location"]
        for i in range(12)
    ]
    assert answers[0].endswith("problem=wrong")
    assert answers[-1].endswith("problem=slow")
    assert (
        anyone.post("/aicc/login", data={"key": KEY}, headers=SAME)
        .headers["location"]
        .endswith("problem=slow")
    )
