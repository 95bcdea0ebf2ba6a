"""Streams as the API describes them: LiteLLM's translation of chat models leaves fields out.

Seen in 1.106.2 with `ollama_chat/`: /v1/responses events without sequence_number, logprobs and summary_index,
reasoning items without their part events and with the wrong content; chat chunks with a new id each. From llama.cpp's
own /v1/responses: no output_index and content_index, calls without an id, response objects of three fields, and in
every few streams response.created and response.in_progress again between the words.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import orjson

_CHUNK_ID = re.compile(rb'^data: ?\{"id": ?"([^"\\]*)"')
_WHOLE_LIMIT = 4 << 20  # an unfinished line longer than this is passed on as it is
_ONCE = ("response.created", "response.in_progress")
_RESPONSE_DEFAULTS: dict[str, Any] = {
    "error": None, "incomplete_details": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True,
    "temperature": None, "top_p": None, "tool_choice": "auto", "tools": [], "max_output_tokens": None,
    "previous_response_id": None, "reasoning": {"effort": None, "summary": None}, "truncation": "disabled", "user": None,
    "text": {"format": {"type": "text"}}, "store": False, "background": False,
}  # fmt: skip
_USAGE_DETAILS = (
    ("input_tokens_details", "cached_tokens"), ("input_tokens_details", "cache_write_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
)  # fmt: skip
Keep = Callable[[Any], None]


class Lines:
    """Whole lines out of a byte stream that is cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes, *, last: bool) -> list[bytes]:
        """Complete lines with their line feeds; at the end also what is left."""
        data = self._rest + data
        cut = len(data) if last or len(data) > _WHOLE_LIMIT else data.rfind(b"\n") + 1
        self._rest = data[cut:]
        return data[:cut].splitlines(keepends=True)


def data_line(line: bytes, tree: Any) -> bytes:
    """The `data:` line with `tree` as its data; it ends as it did."""
    written: bytes = orjson.dumps(tree)
    return b"data: " + written + line[len(line.rstrip(b"\r\n")) :]


class ChatRepair:
    """One id for all chunks of a chat stream: some clients take another id for another answer."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._id = b""

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """The next bytes for the client; may be empty while a line is incomplete."""
        return b"".join(self._line(line) for line in self._lines.feed(data, last=last))

    def _line(self, line: bytes) -> bytes:
        found = _CHUNK_ID.match(line)
        if found is None:
            return line
        self._id = self._id or found[1]
        if found[1] != self._id:
            line = line[: found.start(1)] + self._id + line[found.end(1) :]
        return _usage_chunk(line) if b'"usage":{' in line else line


def _usage_chunk(line: bytes) -> bytes:
    """The chunk with the usage has no choices in OpenAI's API; an empty one hides the finish reason from Dify."""
    try:
        chunk = orjson.loads(line[5:].strip())
        spoken = any(choice.get("delta") or choice.get("finish_reason") for choice in chunk["choices"])
    except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError):
        return line
    if spoken:
        return line
    chunk["choices"] = []
    return data_line(line, chunk)


class ResponsesRepair:
    """Completes the events of a /v1/responses stream. One instance a stream.

    `model`: as the client named it. `keep` is given each finished output item.
    """

    def __init__(self, model: str = "", keep: Keep | None = None) -> None:
        self._lines = Lines()
        self._next = 0
        self._model = model
        self._keep = keep
        self._names: dict[str, str] = {}  # of functions, by item id
        self._began = int(time.time())
        self._mark = uuid.uuid4().hex  # ids are looked up later: those of two answers must differ
        self._places: dict[str, int] = {}  # output_index by item id
        self._told: set[str] = set()  # which of _ONCE
        self._summaries: set[str] = set()  # reasoning items whose summary part was announced

    @property
    def next_number(self) -> int:
        """The sequence number of the next event."""
        return self._next

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """The next bytes for the client; may be empty while a line is incomplete."""
        return b"".join(self._line(line) for line in self._lines.feed(data, last=last))

    def _line(self, line: bytes) -> bytes:
        if line.startswith(b"event:"):
            return b""  # written anew with each event, because some are added
        if not line.startswith(b"data:"):
            return line
        try:
            event = orjson.loads(line[5:].strip())
        except orjson.JSONDecodeError:
            return line  # [DONE], or nothing we know
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            return line
        if event["type"] in self._told:
            return b""
        if event["type"] in _ONCE:
            self._told.add(event["type"])
        end = line[len(line.rstrip(b"\r\n")) :]
        self._place(event)
        added = self._before(event)
        complete_event(event, self._model)
        if isinstance(event.get("response"), dict):
            event["response"]["store"] = self._keep is not None  # LiteLLM says true, then nothing
        if self._keep is not None and event["type"] == "response.output_item.done":
            self._keep(event.get("item"))
        return b"".join([*(self._write(extra, b"\n\n") for extra in added), self._write(event, end or b"\n")])

    def _place(self, event: dict[str, Any]) -> None:
        """Which output an event belongs to, and whose response it is."""
        item, response = event.get("item"), event.get("response")
        if isinstance(item, dict):
            place = event.get("output_index")
            place = len(self._places) if place is None else place
            item["id"] = ident = str(item.get("id") or item.get("call_id") or f"item_{self._mark}_{place}")
            if event.get("output_index") is None:
                event["output_index"] = self._places.get(ident, place)
            self._places.setdefault(ident, event["output_index"])
            if item.get("name"):
                self._names[ident] = str(item["name"])
        elif event.get("item_id") is not None and event.get("output_index") is None:
            event["output_index"] = self._places.get(str(event["item_id"]), 0)
        if event["type"] == "response.function_call_arguments.done":
            _fill(event, "name", self._names.get(str(event.get("item_id")), ""))
        if isinstance(response, dict):
            for name, value in (
                ("object", "response"),
                ("created_at", self._began),
                ("output", []),
            ):
                _fill(response, name, value)

    def _before(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The part event a reasoning summary lacks."""
        kind, item = event["type"], event.get("item_id")
        if kind == "response.reasoning_summary_part.added":
            self._summaries.add(str(item))
        elif kind == "response.reasoning_summary_text.delta" and item not in self._summaries:
            self._summaries.add(str(item))
            part = {"type": "summary_text", "text": ""}
            return [{"type": "response.reasoning_summary_part.added", "item_id": item, "output_index": event.get("output_index", 0),
                     "summary_index": event.get("summary_index", 0), "part": part}]  # fmt: skip
        return []

    def _write(self, event: dict[str, Any], end: bytes) -> bytes:
        event["sequence_number"] = self._next
        self._next += 1
        written: bytes = orjson.dumps(event)
        return b"event: " + str(event["type"]).encode() + b"\ndata: " + written + end


def complete_event(event: dict[str, Any], model: str = "") -> None:
    """Fill in, in place, what the API promises for this type of event. `model`: as the client named it."""
    kind = event["type"]
    if kind.startswith("response.content_part."):
        _fill(event, "content_index", 0)
        _complete_part(event.get("part"))
    elif kind.startswith("response.output_text."):
        _fill(event, "content_index", 0)
        if kind.endswith((".delta", ".done")):
            event.setdefault("logprobs", [])
    elif kind.startswith("response.reasoning_summary_"):
        event.setdefault("summary_index", 0)
    elif kind.startswith("response.output_item."):
        _complete_item(event.get("item"))
    if isinstance(event.get("response"), dict):
        complete_response(event["response"], model)


def complete_response(response: dict[str, Any], model: str = "") -> None:
    """Fill in, in place, what the API promises for a response object. `model`: as the client named it."""
    response["model"] = model or response.get("model") or ""
    for name, value in _RESPONSE_DEFAULTS.items():
        _fill(response, name, value)
    if not response["text"]:
        response["text"] = _RESPONSE_DEFAULTS["text"]
    for item in response.get("output") or []:
        _complete_item(item)
    usage = response.get("usage")
    if isinstance(usage, dict):
        for name, detail in _USAGE_DETAILS:
            if not isinstance(usage.get(name), dict):
                usage[name] = {}
            _fill(usage[name], detail, 0)
    elif "usage" not in response:
        response["usage"] = None


def complete_whole(answer: bytes, model: str = "", keep: Keep | None = None) -> bytes:
    """The same for an answer that is not a stream; anything else is returned as it is."""
    try:
        tree = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return answer
    if not isinstance(tree, dict) or tree.get("object") != "response":
        return answer
    complete_response(tree, model)
    drop_empty(tree)
    tree["store"] = keep is not None
    if keep is not None:
        for item in tree.get("output") or ():
            keep(item)
    return orjson.dumps(tree)


def drop_empty(response: dict[str, Any]) -> None:
    """Remove, in place, the empty message that LiteLLM puts before tool calls that are not streamed."""
    output = response.get("output") or []
    if len(output) > 1:
        response["output"] = [item for item in output if not _is_empty(item)]


def _fill(tree: dict[str, Any], name: str, value: Any) -> None:
    if tree.get(name) is None:
        tree[name] = value


def _is_empty(item: Any) -> bool:
    if not isinstance(item, dict) or item.get("type") != "message":
        return False
    parts = item.get("content")
    return isinstance(parts, list) and all(
        isinstance(p, dict) and p.get("type") == "output_text" and not p.get("text") for p in parts
    )


def _complete_part(part: Any) -> None:
    if isinstance(part, dict) and part.get("type") == "output_text":
        _fill(part, "annotations", [])


def _complete_item(item: Any) -> None:
    if not isinstance(item, dict):
        return
    if item.get("type") == "message":
        for part in item.get("content") or []:
            _complete_part(part)
    elif item.get("type") == "function_call":
        _fill(item, "id", item.get("call_id"))
    elif item.get("type") == "reasoning":
        # The closing event carries the thoughts as `output_text` content of an assistant, which no client reads.
        said = [
            p for p in item.get("content") or [] if isinstance(p, dict) and p.get("type") == "output_text"
        ]
        if said and not item.get("summary"):
            item["summary"] = [{"type": "summary_text", "text": p.get("text", "")} for p in said]
        if said:
            item.pop("content", None)
            item.pop("role", None)
        if not isinstance(item.get("summary"), list):
            item["summary"] = []
