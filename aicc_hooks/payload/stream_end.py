"""Whether a stream reached the end its API promises."""

from __future__ import annotations

# Quotes inside a text are escaped in JSON, so none of these can be the words of a model.
_ENDS = {
    "chat": (b"data: [DONE]",),
    "completions": (b"data: [DONE]",),
    "messages": (b'"message_stop"',),
    "responses": (b'"response.completed"', b'"response.incomplete"', b'"response.failed"'),
}
_OVERLAP = 24  # a mark may be cut in two


class EndMark:
    """Looks for the last event of a stream, piece by piece. An endpoint it does not know always has one."""

    def __init__(self, endpoint: str) -> None:
        self._marks = _ENDS.get(endpoint, ())
        self._rest = b""
        self.seen = not self._marks

    def feed(self, data: bytes) -> None:
        """The next bytes the client gets."""
        if not self.seen:
            data = self._rest + data
            self.seen = any(mark in data for mark in self._marks)
            self._rest = data[-_OVERLAP:]
