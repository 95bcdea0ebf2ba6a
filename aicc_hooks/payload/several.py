"""One answer of /v1/completions out of several, one for each prompt: choices numbered on, usage added up."""

from __future__ import annotations

from typing import Any

import orjson

from aicc_hooks.payload.event_repair import Lines, data_line

DONE = b"data: [DONE]\n\n"


def merged(answers: list[bytes]) -> bytes:
    """Whole answers as one. Raises ValueError (orjson's too) for what is no answer."""
    trees = [orjson.loads(answer) for answer in answers]
    if not all(isinstance(tree, dict) and isinstance(tree.get("choices"), list) for tree in trees):
        raise ValueError("not an answer of /v1/completions")
    usage: dict[str, int] = {}
    choices: list[Any] = []
    for tree in trees:
        choices += [{**choice, "index": len(choices) + n} for n, choice in enumerate(tree["choices"])]
        _add(usage, tree.get("usage"))
    return orjson.dumps({**trees[0], "choices": choices, "usage": usage})


class Stream:
    """Streams as one: `feed` the bytes of a prompt's stream, `next` before the next prompt's, `end` after the last."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._first: dict[str, Any] = {}  # what all chunks of one answer share
        self._usage: dict[str, int] = {}
        self._offset = self._most = 0
        self._left_out = self._broke = False
        self.done = False  # the prompt's stream came to its end, without an error

    def next(self) -> None:
        """Another prompt's stream follows."""
        self._offset, self.done = self._most, False

    def feed(self, data: bytes, *, last: bool) -> bytes:
        """The next bytes for the client; may be empty."""
        return b"".join(map(self._line, self._lines.feed(data, last=last)))

    def end(self) -> bytes:
        """The usage of all and the mark of the end."""
        chunk = {**self._first, "choices": [], "usage": self._usage}
        return (b"data: " + orjson.dumps(chunk) + b"\n\n" if self._usage else b"") + DONE

    def _line(self, line: bytes) -> bytes:
        if not line.strip() and self._left_out:  # the blank line behind an event that is left out
            return b""
        self._left_out = False
        if not line.startswith(b"data:"):
            return line
        told = line[5:].strip()
        if told == b"[DONE]":
            self._left_out, self.done = True, not self._broke
            return b""
        try:
            chunk = orjson.loads(told)
        except orjson.JSONDecodeError:
            return line
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices"), list):
            self._broke = self._broke or b'"error"' in told
            return line
        self._first = self._first or {
            name: chunk[name] for name in ("id", "object", "created", "model") if name in chunk
        }
        _add(self._usage, chunk.pop("usage", None))
        if not any(choice.get("text") or choice.get("finish_reason") for choice in chunk["choices"]):
            self._left_out = True
            return b""
        for choice in chunk["choices"]:
            choice["index"] = self._offset + int(choice.get("index") or 0)
            self._most = max(self._most, choice["index"] + 1)
        return data_line(line, {**chunk, **self._first})


def _add(total: dict[str, int], usage: Any) -> None:
    for name, count in (usage or {}).items() if isinstance(usage, dict) else ():
        if isinstance(count, int) and not isinstance(count, bool):
            total[name] = total.get(name, 0) + count
