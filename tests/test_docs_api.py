"""docs/api.md says what the code does: routes, headers, error codes, endpoints of our own, and the lines of commands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from aicc_hooks import access, cors
from aicc_hooks.access import find_door
from aicc_hooks.adapter import (
    admission,
    answer,
    cache_routes,
    feedback,
    page_data,
    page_events,
    page_shell,
    preparing,
    rerank,
    web,
)
from aicc_hooks.adapter.calls import Attempt, Call
from aicc_hooks.commands.scan import command
from aicc_hooks.explain import as_dict
from aicc_hooks.record.export import item_of
from aicc_hooks.record.model import Record
from aicc_hooks.verdict import Decision, Verdict
from aicc_hooks.wire import RETRY_AFTER_S, STATUS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def rows(section: str, table: int = 0) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    tables = re.findall(r"(?:^\|.*\n)+", SECTIONS[section], re.MULTILINE)
    lines = tables[table].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def ways() -> list[tuple[str, str, str, bool]]:
    """Method, path, kind of door and whether the key is needed, one a path of the table of routes."""
    return [
        (method, path, what.split(",")[0].split()[0], key == "yes")
        for method, paths, what, key in rows("Routes")
        for path in code(paths)
    ]


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "name", path)


@pytest.mark.parametrize(("method", "path", "kind", "key"), ways())
def test_a_route_is_open_as_the_table_says(method: str, path: str, kind: str, key: bool) -> None:
    door = find_door(method, filled(path), debug=True)
    assert door is not None
    assert (door.endpoint, door.key) == (kind, key)
    assert door.model == ("name" if "{model}" in path else "")
    assert find_door("DELETE", filled(path), debug=True) is None
    if kind == "docs":
        assert find_door(method, path) is None


def test_no_route_is_missing() -> None:
    told = {path for _, path, _, _ in ways()}
    models = {"/models", "/v1/models", "/models/{id}", "/v1/models/{id}"}
    azure = {f"/openai/deployments/{{model}}/{path}" for path in access._AZURE}
    plain = {f"{prefix}{path}" for path in access._LLM for prefix in ("", "/v1")}
    assert told == models | azure | plain | access._HEALTH | access._DOCS


def test_the_route_that_is_opened_as_an_example() -> None:
    (route,) = [found for found in code(SECTIONS["Routes"]) if found == "POST /v2/rerank"]
    method, _, path = route.partition(" ")
    door = find_door(method, path, extra=[route])
    assert door is not None
    assert door.endpoint == "rerank"


def test_every_header_that_is_read_is_named() -> None:
    told = {name for row in rows("Request headers") for name in code(row[0])}
    sources = [ROOT / "aicc_hooks" / "web" / "session.py", *(ROOT / "aicc_hooks" / "adapter").glob("*.py")]
    # Answers of model servers are read with `headers.get` nowhere in these files.
    pattern = re.compile(r'headers"?\]?\)?(?:\.get\(|\[)b?"([a-z-]+)"')
    read = {name for source in sources for name in pattern.findall(source.read_text(encoding="utf-8"))}
    named = preparing._FORWARDED | preparing._OUR_HEADERS
    read |= {name.decode() for name in named}
    assert {"x-session-id", "cache-control", "sec-fetch-site"} < read, "the pattern finds what it looks for"
    assert read - {"set-cookie"} <= told
    for name in ("authorization", "x-api-key", "api-key"):
        value = b"Bearer secret" if name == "authorization" else b"secret"
        assert name in told
        assert admission.sent_key({"headers": [(name.encode(), value)]}) == b"secret"


def everything() -> list[tuple[str, str]]:
    """The headers of a call of which everything is known."""
    tried = Attempt("qwen-local", "1", "ollama/qwen", "http://127.0.0.1:1", 0.0, dropped={"n"})
    call = Call(
        cold_start=True,
        cut="prompt",
        cache_similarity=0.9,
        cache_tier="semantic",
        error_code="aicc_upstream_down",
    )
    call.attempts, call.stripped = [tried], ("num_retries",)
    call.verdict, call.decision = Verdict(), Decision(route="qwen-local", reason="explicit", variant="a:b")
    runtime: Any = SimpleNamespace(catalog=SimpleNamespace(demo=True))
    return answer.response_headers(call, runtime)


def test_the_headers_of_an_answer() -> None:
    told = {name for row in rows("Response headers") for name in code(row[0])}
    sent = {name for name, _ in everything()}
    assert {name for name in told if name.startswith("x-aicc-")} == sent
    exposed = {name.strip() for name in cors._EXPOSED.split(",")}
    assert told <= exposed, "a web app may read them all"


def test_the_error_codes() -> None:
    told = {code(row[0])[0]: int(row[1]) for row in rows("Errors")}
    assert told == STATUS
    after = next(row[1] for row in rows("Response headers") if row[0] == "`retry-after`")
    for name in RETRY_AFTER_S:
        assert name in after or str(STATUS[name]) in after


def test_the_endpoints_of_our_own() -> None:
    told = {
        (method.strip(), path, key == "yes")
        for methods, paths, key, _ in rows("Own endpoints")
        for method in methods.split(",")
        for path in code(paths)
    }
    parts = (web, page_shell, page_data, page_events, rerank, feedback, cache_routes)
    served = {
        (method, route.path) for part in parts for route in part.router.routes for method in route.methods
    }
    served.remove(("POST", rerank.PATH))  # reached through the rerank door alone
    assert {(method, path) for method, path, _ in told} == served
    for method, path, key in told:
        door = find_door(method, filled(path))
        assert door is not None
        assert door.key == key, path


def block(info: str) -> Any:
    found = re.search(rf"^```json {info}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_line_of_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICC_HOME", str(tmp_path))
    for name in ("AICC_POLICY", "OLLAMA_BASE_URL", "OLLAMA_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(command, input=json.dumps(block("in")).encode())
    found, told = json.loads(result.stdout), block("out")
    for part in ("injection", "complexity"):  # weights may differ by a step between processors
        assert abs(found[part]["score"] - told[part]["score"]) < 0.05
        found[part]["score"] = told[part]["score"]
    assert found == told


def test_a_line_of_export() -> None:
    told = block("export")
    record = Record("3f", 0.0, 1.0, route="llama-fast", status=200)
    made = item_of(record, {"score": 1.0, "comment": ""})
    assert set(made) == set(told)
    assert set(told["metadata"]) <= set(made["metadata"])
    assert set(made["feedback"]) == set(told["feedback"])


def test_what_explain_answers() -> None:
    what = next(row[3] for row in rows("Own endpoints") if row[1] == "`/aicc/explain`")
    assert set(as_dict(Verdict(), Decision())) == set(code(what))
