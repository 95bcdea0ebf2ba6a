"""The three things asked of a Langfuse server: take traces, check the keys, give a trace back."""

from __future__ import annotations

import email.utils
import gzip
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from aicc_hooks.record.config import LangfuseAccess

TRACES_PATH: Final = "/api/public/otel/v1/traces"


class Outcome(StrEnum):
    """What a delivery led to, and so what to do next."""

    ACCEPTED = "accepted"
    INVALID = "invalid"  # some record in it is refused: find out which
    RETRY = "retry"  # down or busy: the same again later
    UNAUTHORIZED = "unauthorized"  # wrong keys: later, once a person has acted
    MISCONFIGURED = "misconfigured"  # no Langfuse there, or one without OTLP


@dataclass(frozen=True, slots=True)
class Answer:
    """Outcome with a detail for people (never the server's text: it may echo ours)."""

    outcome: Outcome
    detail: str = ""
    retry_after_s: float | None = None


class LangfuseApi:
    """HTTP to one server. `transport` replaces the network in tests."""

    def __init__(
        self, access: LangfuseAccess, timeout_s: float, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        local = urlsplit(access.host).hostname in ("localhost", "127.0.0.1", "::1")
        self.host = access.host
        self._client = httpx.AsyncClient(
            base_url=access.host,
            auth=(access.public_key, access.secret_key),
            timeout=timeout_s,
            transport=transport,
            # A proxy set for the internet must not see traffic to this machine.
            trust_env=not local,
            headers={"x-langfuse-public-key": access.public_key, "user-agent": "aicc"},
        )

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def send(self, body: bytes) -> Answer:
        """POST an ExportTraceServiceRequest. Never raises for what a server or network can do."""
        headers = {
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            # 4 selects direct ingestion on server 4, else it lags by minutes; server 3 ignores it.
            "x-langfuse-ingestion-version": "4",
        }
        try:
            response = await self._client.post(TRACES_PATH, content=gzip.compress(body, 6), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(Outcome.RETRY, f"no answer ({type(error).__name__})")
        return _judge(response)

    async def auth_check(self) -> tuple[bool, str]:
        """(keys work, sentence for people)."""
        try:
            response = await self._client.get("/api/public/projects")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return False, f"no answer from {self.host} ({type(error).__name__}): is Langfuse running?"
        if response.status_code == 200:
            try:
                names = [str(p["name"])[:80] for p in response.json()["data"]]
            except (ValueError, KeyError, TypeError):
                return False, f"{self.host} answers, but not like Langfuse"
            return True, f"connected to {', '.join(names) or 'Langfuse'}"
        if response.status_code in (401, 403):
            return False, "the keys are refused: check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        return False, f"{self.host} answers with status {response.status_code}"

    async def read_back(self, trace_id: str) -> dict[str, Any] | None:
        """What the server holds of a trace: `id` and `observations`; None when it has nothing (yet).

        Raises httpx.HTTPError when the server cannot be asked.
        """
        response = await self._client.get(f"/api/public/traces/{trace_id}")
        if response.status_code == 200:
            trace = response.json()
            return trace if isinstance(trace, dict) else None
        if response.status_code not in (404, 410):
            response.raise_for_status()
        # Server 4 fills its trace view late; observations are there at once.
        response = await self._client.get(
            "/api/public/v2/observations", params={"traceId": trace_id, "limit": 50}
        )
        if response.status_code in (404, 410):
            return None
        response.raise_for_status()
        observations = response.json().get("data") or []
        return {"id": trace_id, "observations": observations} if observations else None


def _judge(response: httpx.Response) -> Answer:
    status = response.status_code
    if 200 <= status < 300:
        return _partial(response)
    detail = f"status {status}"
    if status in (401, 403):
        return Answer(Outcome.UNAUTHORIZED, detail)
    if status in (408, 425, 429) or status >= 500:
        return Answer(Outcome.RETRY, detail, _retry_after(response.headers.get("retry-after", "")))
    if status in (404, 405) or status < 400:
        return Answer(
            Outcome.MISCONFIGURED, f"{detail}: no Langfuse with OTLP (3.22 or newer) at this address"
        )
    return Answer(Outcome.INVALID, detail)


def _partial(response: httpx.Response) -> Answer:
    """A 2xx may still refuse spans, and a 2xx web page is no delivery at all."""
    kind = response.headers.get("content-type", "")
    rejected = 0
    try:
        if not response.content:
            pass
        elif "protobuf" in kind:
            rejected = ExportTraceServiceResponse.FromString(response.content).partial_success.rejected_spans
        elif "json" in kind:
            body = response.json()
            part = body.get("partialSuccess") or body.get("partial_success") or {}
            rejected = int(part.get("rejectedSpans") or part.get("rejected_spans") or 0)
        else:
            return Answer(Outcome.MISCONFIGURED, "the address answers with something that is not OTLP")
    except Exception:  # whatever it is, it is no OTLP answer
        return Answer(Outcome.MISCONFIGURED, "the answer cannot be read as OTLP")
    if rejected:
        return Answer(Outcome.INVALID, f"{rejected} spans refused")
    return Answer(Outcome.ACCEPTED)


def _retry_after(value: str) -> float | None:
    if value.isdigit():
        return float(min(int(value), 3600))
    try:
        return max(0.0, min(email.utils.parsedate_to_datetime(value).timestamp() - time.time(), 3600.0))
    except (ValueError, TypeError):
        return None
