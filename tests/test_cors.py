"""Web apps in a browser: none may call by default, listed origins may, and read our headers and errors."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.harness import GatewayProcess, wait_until

pytestmark = pytest.mark.live
HELLO = [{"role": "user", "content": "Please say hello to my colleague."}]


@pytest.fixture(scope="module")
def http(gateway: GatewayProcess) -> httpx.Client:
    return gateway.httpx()


APP = "http://localhost:5173"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-stainless-os",
}


@pytest.fixture
def open_to_app(shared_gateway: Any) -> httpx.Client:
    client: httpx.Client = shared_gateway(policy={"gate": {"cors_origins": [APP]}}).httpx()
    return client


def test_no_origin_is_allowed_by_default(http: httpx.Client) -> None:
    preflight = http.options("/v1/chat/completions", headers={"origin": APP, **PREFLIGHT})
    assert preflight.status_code == 404
    answers = [http.get(path, headers={"origin": APP}) for path in ("/v1/models", "/aicc/health")]
    for answer in (preflight, *answers):
        assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_a_listed_web_app_may_call_and_read_our_headers(open_to_app: httpx.Client) -> None:
    preflight = open_to_app.options("/v1/chat/completions", headers={"origin": APP, **PREFLIGHT})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == APP
    assert "x-stainless-os" in preflight.headers["access-control-allow-headers"]
    answer = open_to_app.post(
        "/v1/chat/completions", json={"model": "auto", "messages": HELLO}, headers={"origin": APP}
    )
    assert answer.headers["access-control-allow-origin"] == APP
    assert "x-aicc-route" in answer.headers["access-control-expose-headers"]
    failed = open_to_app.post(
        "/v1/chat/completions", json={"model": "auto", "messages": []}, headers={"origin": APP}
    )
    assert failed.status_code == 400
    assert failed.headers["access-control-allow-origin"] == APP, "an app must be able to read errors"


def test_headers_of_an_answer_from_the_cache_can_be_read(shared_gateway: Any) -> None:
    http = shared_gateway(policy={"gate": {"cors_origins": [APP]}, "cache": {"enabled": True}}).httpx()
    body = {"model": "auto", "messages": HELLO}
    wait_until(
        lambda: http.post("/v1/chat/completions", json=body).headers["x-aicc-cache"] == "exact",
    )
    answer = http.post("/v1/chat/completions", json=body, headers={"origin": APP})
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    ours = {name for name in answer.headers if name.startswith("x-aicc-")} | {"age"}
    assert ours <= set(answer.headers)
    assert ours <= set(exposed)


@pytest.mark.parametrize(
    "origin", ["http://localhost:5174", "https://localhost:5173", "http://localhost:5173.example.org", "null"]
)
def test_other_origins_stay_out(open_to_app: httpx.Client, origin: str) -> None:
    preflight = open_to_app.options("/v1/chat/completions", headers={"origin": origin, **PREFLIGHT})
    answer = open_to_app.get("/v1/models", headers={"origin": origin})
    for response in (preflight, answer):
        assert "access-control-allow-origin" not in response.headers


def test_a_preflight_opens_nothing_without_the_key(open_to_app: httpx.Client) -> None:
    response = httpx.post(
        str(open_to_app.base_url) + "/v1/chat/completions",
        json={"messages": HELLO},
        headers={"origin": APP},
        trust_env=False,
    )
    assert response.status_code == 401
