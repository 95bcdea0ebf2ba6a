"""Record → OTLP spans as Langfuse reads them (server 3.63+ and 4).

Langfuse 4 has no trace object: the context (name, user, session, tags, metadata) is therefore on both
spans and the overall input and output on the root observation, from which server 3 fills its trace.
Attribute names: Langfuse's `packages/shared/src/server/otel/attributes.ts`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from aicc_hooks.record.model import Record

SCOPE: Final = "aicc"
_METADATA: Final = (
    "route", "reason", "sentence", "deployment", "tier", "cache", "variant", "client", "endpoint", "mode", "status", "error",
    "cold_start", "local_only", "sticky", "truncated", "cut", "dropped", "cache_similarity", "cache_age_s",
    "gate_ms", "hooks_ms", "cache_ms", "upstream_ms", "first_token_ms", "total_ms",
)  # fmt: skip


def trace_id(record_id: str) -> str:
    """32 hex digits, always the same for a record: a second delivery overwrites the first."""
    return hashlib.sha256(f"aicc/trace/{record_id}".encode()).hexdigest()[:32]


def span_id(record_id: str, name: str) -> str:
    """16 hex digits of the span `name` (`request` or `generation`) of a record."""
    return hashlib.sha256(f"aicc/{name}/{record_id}".encode()).hexdigest()[:16]


def encode(records: Iterable[Record], *, version: str = "", environment: str = "default") -> bytes:
    """An ExportTraceServiceRequest with two spans a record."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(_attributes({"service.name": "aicc", "service.version": version}))
    scope = resource.scope_spans.add()
    scope.scope.name = SCOPE
    scope.scope.version = version
    for record in records:
        scope.spans.extend(_spans(record, environment))
    return bytes(request.SerializeToString())


def tags_of(record: Record) -> list[str]:
    """Short words to filter traces by in Langfuse; from our own vocabulary only."""
    tags = [f"route:{record.route}"] if record.route else []
    if record.reason:
        tags.append(f"reason:{record.reason.split(':', 1)[0]}")
    tags += [f"privacy:{name}" for name in record.privacy]
    for name in ("tier", "cache", "client"):
        if value := getattr(record, name):
            tags.append(f"{name}:{value}")
    if record.variant:
        tags.append(f"variant:{record.variant}")
    return tags + [name for name in ("local_only", "cold_start", "stream") if getattr(record, name)]


def _spans(record: Record, environment: str) -> list[Span]:
    context = _context(record, environment)
    content = {
        "langfuse.observation.input": _json(record.input),
        "langfuse.observation.output": _json(record.output),
        "langfuse.observation.level": _level(record),
        "langfuse.observation.status_message": (record.error_text or record.error) if record.failed else None,
    }
    begin = record.start + sum(v or 0.0 for v in (record.gate_ms, record.hooks_ms, record.cache_ms)) / 1000
    begin = min(begin, record.end) if begin >= record.start else record.start
    root = _span(record, "request", record.start)
    root.attributes.extend(
        _attributes(
            {"langfuse.observation.type": "span", "langfuse.internal.is_app_root": True} | content | context
        )
    )
    generation = _span(record, "generation", begin)
    generation.parent_span_id = root.span_id
    first = None if record.first_token_ms is None else _iso(record.start + record.first_token_ms / 1000)
    generation.attributes.extend(
        _attributes(
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.model.name": record.deployment or record.route or record.requested,
                "langfuse.observation.usage_details": _json(_usage(record)),
                "langfuse.observation.completion_start_time": first,
            }
            | _prompt(record)
            | content
            | context
        )
    )
    return [root, generation]


def _span(record: Record, name: str, start: float) -> Span:
    span = Span(
        trace_id=bytes.fromhex(trace_id(record.id)),
        span_id=bytes.fromhex(span_id(record.id, name)),
        name=f"aicc {name}",
        kind=Span.SPAN_KIND_SERVER if name == "request" else Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=_nanos(start),
        end_time_unix_nano=_nanos(max(record.end, start)),
    )
    if _level(record) == "ERROR":
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = record.error
    return span


def _context(record: Record, environment: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "request_id": record.id,
        "requested_model": record.requested,
        "injection_score": f"{record.injection:.4f}",
        "injection_rules": ",".join(record.injection_rules),
        "privacy": ",".join(record.privacy) or "clean",
        "privacy_counts": record.privacy_counts,
        "prompt": f"{record.prompt_name}@{record.prompt_version or 'fallback'}" if record.prompt_name else "",
        "fallback_chain": [{"deployment": a.deployment, "error": a.error} for a in record.attempts],
        **{name: getattr(record, name) for name in _METADATA},
    }
    return {
        "langfuse.trace.name": f"aicc {record.endpoint or 'request'}",
        "user.id": record.user,
        "session.id": record.session,
        "langfuse.environment": environment,
        "langfuse.trace.tags": tags_of(record),
        # Server 3 turns every metadata value into a string; sending strings keeps both servers alike.
        **{
            f"langfuse.trace.metadata.{k}": _text(v)
            for k, v in metadata.items()
            if v not in (None, "", [], {})
        },
    }


def _prompt(record: Record) -> dict[str, Any]:
    """Links the generation to its prompt, as the SDK does. A fallback text is no version Langfuse could link to."""
    if not record.prompt_name or not record.prompt_version:
        return {}
    return {
        "langfuse.observation.prompt.name": record.prompt_name,
        "langfuse.observation.prompt.version": record.prompt_version,
    }


def _usage(record: Record) -> dict[str, int]:
    prompt, completion = record.prompt_tokens, record.completion_tokens
    return {"input": prompt, "output": completion, "total": prompt + completion}


def _level(record: Record) -> str:
    if record.status == 499:
        return "WARNING"  # the client went away: nobody's fault here
    return "ERROR" if record.failed else "DEFAULT"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _nanos(seconds: float) -> int:
    return max(int(seconds * 1_000_000), 0) * 1000


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _attributes(values: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=k, value=_any(v)) for k, v in values.items() if v is not None and v != ""]


def _any(value: str | bool | int | Sequence[str]) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, str):
        # protobuf refuses lone surrogates; one would otherwise poison the whole batch
        return AnyValue(string_value=value.encode("utf-8", "replace").decode())
    return AnyValue(array_value=ArrayValue(values=[_any(v) for v in value]))
