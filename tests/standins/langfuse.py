"""A stand-in for the Langfuse server: takes OTLP traces and scores, reads them back, fails on demand."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import orjson

from tests.standins.otlp import BadPayload, Span, plain_body, read_spans
from tests.standins.server import StandIn
from tests.standins.wire import Reply, Request, json_response

PROJECT = "stand-in-project"
_ids = itertools.count(1)


class LangfuseStandIn(StandIn):
    """Reads back what was sent at once; the real server takes seconds (`visible_after` imitates that)."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, version: str = "4.0.0", keep: int | None = None
    ) -> None:
        super().__init__(host, port, keep)
        self.version = version
        self.public_key, self.secret_key = "pk-lf-stand-in", "sk-lf-stand-in"
        self.visible_after = 0.0
        self.spans: list[Span] = []
        self.scores: list[dict[str, Any]] = []
        self.prompts: dict[str, dict[int, dict[str, Any]]] = {}  # name → version → prompt
        self._arrived: dict[tuple[str, str], float] = {}

    # -- for tests ----------------------------------------------------------------------------------
    @property
    def env(self) -> dict[str, str]:
        """Environment that points a gateway here."""
        return {
            "LANGFUSE_HOST": self.url,
            "LANGFUSE_PUBLIC_KEY": self.public_key,
            "LANGFUSE_SECRET_KEY": self.secret_key,
        }

    @property
    def traces(self) -> dict[str, dict[str, Span]]:
        """Spans by trace id and span id; a span sent twice counts once."""
        out: dict[str, dict[str, Span]] = {}
        for span in list(self.spans):
            out.setdefault(span.trace_id, {})[span.span_id] = span
        return out

    @property
    def duplicates(self) -> int:
        """Spans that arrived more than once."""
        return len(self.spans) - sum(len(spans) for spans in self.traces.values())

    @property
    def received_bytes(self) -> bytes:
        """Everything that arrived, as sent and decompressed."""
        parts = [super().received_bytes]
        for request in self.requests:
            try:
                parts.append(plain_body(request))
            except BadPayload:
                continue
        return b"\n".join(parts)

    def add_prompt(
        self, name: str, text: str, version: int = 1, labels: tuple[str, ...] = ("production",)
    ) -> None:
        """A version of a text prompt under /api/public/v2/prompts/{name}. A label moves to it from other versions."""
        versions = self.prompts.setdefault(name, {})
        for other in versions.values():
            other["labels"] = [label for label in other["labels"] if label not in labels]
        versions[version] = {"name": name, "version": version, "type": "text", "prompt": text, "config": {},
                             "labels": list(labels), "tags": [], "commitMessage": None, "resolutionGraph": None}  # fmt: skip

    def _prompt(self, name: str, request: Request) -> bytes:
        """`version` or `label`, not both; without either the label `production`, as Langfuse documents it."""
        version, label = (request.query.get(key, [""])[0] for key in ("version", "label"))
        if version and label:
            return json_response({"error": "InvalidRequestError", "message": "label and version"}, 400)
        for number, prompt in self.prompts.get(name, {}).items():
            if str(number) == version or (not version and (label or "production") in prompt["labels"]):
                return json_response(prompt)
        return _not_found("Prompt")

    def reset(self) -> None:
        super().reset()
        self.spans.clear()
        self.scores.clear()
        self.prompts.clear()
        self._arrived.clear()
        self.visible_after = 0.0

    # -- routes -------------------------------------------------------------------------------------
    def handle(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        path = request.path.removeprefix("/api/public")
        if (request.method, path) == ("GET", "/health"):
            return json_response({"status": "OK", "version": self.version})
        if not self._authorised(request):
            message = "Invalid credentials. Confirm that you've configured the correct host."
            return json_response({"error": "UnauthorizedError", "message": message}, 401)
        match request.method, path.strip("/").split("/"):
            case "POST", ["otel", "v1", "traces"]:
                return self._take(request)
            case "POST", ["scores"]:
                score = {
                    "id": f"score-{next(_ids)}",
                    **{k: v for k, v in request.json.items() if v is not None},
                }
                self.scores.append(score)
                return json_response({"id": score["id"]})
            case "GET", ["projects"]:
                organization = {"id": "stand-in-org", "name": "Stand-in"}
                project = {"id": PROJECT, "name": "Stand-in", "organization": organization, "metadata": {}}
                return json_response({"data": [project]})
            case "GET", ["traces", trace_id]:
                spans = self._visible().get(trace_id)
                return json_response(self._trace(trace_id, spans)) if spans else _not_found("Trace")
            case "GET", ["traces"]:
                rows = [self._trace(i, s, full=False) for i, s in self._visible().items()]
                return json_response(_page([r for r in rows if _wanted(r, request)], request))
            case "GET", ["v2", "observations"] | ["observations"]:
                rows = [_observation(s) for spans in self._visible().values() for s in spans.values()]
                rows = [r for r in rows if _wanted(r, request)]
                return json_response({"data": rows, "meta": {}} if "v2" in path else _page(rows, request))
            case "GET", ["v2", "prompts", *folders]:  # a name in a folder arrives as a%2Fb
                return self._prompt("/".join(folders), request)
        return _not_found("Route")

    def _authorised(self, request: Request) -> bool:
        expected = base64.b64encode(f"{self.public_key}:{self.secret_key}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _take(self, request: Request) -> bytes:
        try:
            spans = read_spans(plain_body(request))
        except BadPayload as exc:
            return json_response(
                {"error": "InvalidRequestError", "message": f"invalid OTLP body: {exc}"}, 400
            )
        self.spans += spans
        for span in spans:
            self._arrived.setdefault((span.trace_id, span.span_id), request.at)
        request.notes["spans"] = len(spans)
        return json_response({})

    def _visible(self) -> dict[str, dict[str, Span]]:
        if not self.visible_after:
            return self.traces
        horizon = time.monotonic() - self.visible_after
        shown = {
            i: {k: s for k, s in t.items() if self._arrived[i, k] <= horizon} for i, t in self.traces.items()
        }
        return {i: spans for i, spans in shown.items() if spans}

    def _trace(self, trace_id: str, spans: dict[str, Span], full: bool = True) -> dict[str, Any]:
        ordered = sorted(spans.values(), key=lambda s: s.start)
        root = next((s for s in ordered if not s.parent_id), ordered[0])
        merged: dict[str, Any] = {}
        for span in reversed(ordered):
            merged |= span.attributes
        trace = {
            "id": trace_id, "timestamp": _time(root.start), "name": merged.get("langfuse.trace.name") or root.name,
            "input": _json(merged.get("langfuse.trace.input", root.attributes.get("langfuse.observation.input"))),
            "output": _json(merged.get("langfuse.trace.output", root.attributes.get("langfuse.observation.output"))),
            "sessionId": merged.get("session.id"), "userId": merged.get("user.id"), "release": merged.get("langfuse.release"),
            "version": merged.get("langfuse.version"), "metadata": _prefixed(merged, "langfuse.trace.metadata"),
            "tags": list(merged.get("langfuse.trace.tags") or []), "public": bool(merged.get("langfuse.trace.public")),
            "environment": merged.get("langfuse.environment", "default"), "htmlPath": f"/project/{PROJECT}/traces/{trace_id}",
            "latency": (max(s.end for s in ordered) - root.start) / 1e9, "totalCost": 0.0,
        }  # fmt: skip
        scores = [s for s in self.scores if s.get("traceId") == trace_id]
        if not full:
            return {**trace, "observations": list(spans), "scores": [s["id"] for s in scores]}
        rows = [_score(s, trace["timestamp"]) for s in scores]
        return {**trace, "observations": [_observation(s) for s in ordered], "scores": rows}


def _observation(span: Span) -> dict[str, Any]:
    given = span.attributes
    usage = {
        k: v
        for k, v in (_json(given.get("langfuse.observation.usage_details")) or {}).items()
        if isinstance(v, int)
    }
    return {
        "id": span.span_id, "traceId": span.trace_id, "projectId": PROJECT, "parentObservationId": span.parent_id or None,
        "type": str(given.get("langfuse.observation.type", "span")).upper(), "name": span.name,
        "startTime": _time(span.start), "endTime": _time(span.end),
        "completionStartTime": _json(given.get("langfuse.observation.completion_start_time")),
        "level": given.get("langfuse.observation.level") or ("ERROR" if span.status == 2 else "DEFAULT"),
        "statusMessage": given.get("langfuse.observation.status_message") or span.status_message or None,
        "input": _json(given.get("langfuse.observation.input")), "output": _json(given.get("langfuse.observation.output")),
        "metadata": _prefixed(given, "langfuse.observation.metadata"), "model": given.get("langfuse.observation.model.name"),
        "modelParameters": _json(given.get("langfuse.observation.model.parameters")) or {},
        "usage": {"input": usage.get("input", 0), "output": usage.get("output", 0), "total": sum(usage.values()), "unit": "TOKENS"},
        "usageDetails": usage, "costDetails": _json(given.get("langfuse.observation.cost_details")) or {},
        "environment": given.get("langfuse.environment", "default"), "latency": (span.end - span.start) / 1e9,
        "sessionId": given.get("session.id"), "userId": given.get("user.id"),
        "promptName": given.get("langfuse.observation.prompt.name"),
        "promptVersion": given.get("langfuse.observation.prompt.version"), "traceName": given.get("langfuse.trace.name"),
        "tags": list(given.get("langfuse.trace.tags") or []),
    }  # fmt: skip


def _score(score: dict[str, Any], at: str) -> dict[str, Any]:
    base = {
        "timestamp": at,
        "createdAt": at,
        "updatedAt": at,
        "source": "API",
        "environment": "default",
        "metadata": {},
    }
    return {**base, "dataType": "NUMERIC", **score}


def _json(value: Any) -> Any:
    """Attribute values that are JSON text as JSON, others as they are."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _prefixed(attributes: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        k.removeprefix(prefix + "."): _json(v) for k, v in attributes.items() if k.startswith(prefix + ".")
    }


def _time(nanoseconds: int) -> str:
    return (
        datetime.fromtimestamp(nanoseconds / 1e9, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def _wanted(row: dict[str, Any], request: Request) -> bool:
    filters = {
        k: v[0] for k, v in request.query.items() if k in ("name", "userId", "sessionId", "traceId", "type")
    }
    return all(str(row.get(k)) == v for k, v in filters.items())


def _page(rows: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    limit, page = int(request.query.get("limit", ["50"])[0]), int(request.query.get("page", ["1"])[0])
    meta = {"page": page, "limit": limit, "totalItems": len(rows), "totalPages": -(-len(rows) // limit)}
    return {"data": rows[(page - 1) * limit : page * limit], "meta": meta}


def _not_found(what: str) -> bytes:
    return json_response(
        {"error": "LangfuseNotFoundError", "message": f"{what} not found within authorized project"}, 404
    )
