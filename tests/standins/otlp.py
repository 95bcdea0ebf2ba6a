"""OTLP trace requests read into plain spans."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.standins.wire import Request


class BadPayload(Exception):
    """The body is not an OTLP trace request."""


@dataclass(frozen=True)
class Span:
    """One span; times are nanoseconds since 1970, `attributes` hold the resource's too (its own win)."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    status: int  # 0 unset, 1 ok, 2 error
    status_message: str
    attributes: dict[str, Any] = field(default_factory=dict)
    scope: str = ""


def plain_body(request: Request) -> bytes:
    """The body without its content encoding."""
    encoding = request.headers.get("content-encoding", "")
    try:
        if encoding == "gzip":
            return gzip.decompress(request.body)
        if encoding == "deflate":
            return zlib.decompress(request.body)
    except (OSError, EOFError, zlib.error) as exc:
        raise BadPayload(str(exc)) from exc
    return request.body


def read_spans(body: bytes) -> list[Span]:
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(body)
    except DecodeError as exc:
        raise BadPayload(str(exc)) from exc
    out = []
    for resource in message.resource_spans:
        shared = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                out.append(
                    Span(
                        span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name,
                        span.start_time_unix_nano, span.end_time_unix_nano, span.status.code, span.status.message,
                        {**shared, **_attributes(span.attributes)}, scope.scope.name,
                    )
                )  # fmt: skip
    return out


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(v) for v in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None
