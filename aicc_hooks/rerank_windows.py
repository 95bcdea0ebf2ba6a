"""Documents as a model reads them: a long one as overlapping windows, the best of which counts.

A reranker reads the query and a document together, an embedder each alone; what is longer than its context is refused
(llama.cpp, TEI) or cut off without a word (Ollama, Infinity). Nobody has its tokenizer here, so tokens are estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from aicc_hooks.detect.tokens import estimate_tokens
from aicc_hooks.errors import bad_field
from aicc_hooks.rerank import RerankRequest

MAX_WINDOWS: Final = 4000  # texts read for one request
_SAFETY: Final = 1.15  # an estimate is not the model's own tokenizer
_SPECIAL: Final = 16  # the tokens a model puts around what it reads
_OVERLAP: Final = 15  # of a window's tokens, one in so many is in the next one too
_PIECE: Final = 64  # characters that are counted, and stay, together


@dataclass(frozen=True, slots=True)
class Windows:
    """What is sent. `texts[i]` is a window of document `owners[i]`; an empty document has none."""

    query: str
    texts: tuple[Any, ...]  # a picture stands as it came
    owners: tuple[int, ...]
    cut: int = 0  # documents whose ends are not read
    cut_query: bool = False

    @property
    def told(self) -> dict[str, Any]:
        """What the client learns of it in `meta.aicc`."""
        told: dict[str, Any] = {"cut_documents": self.cut} if self.cut else {}
        return {**told, "cut_query": True} if self.cut_query else told


def whole(request: RerankRequest) -> Windows:
    """Nothing is cut: for a provider that does so itself."""
    kept = [(number, document) for number, document in enumerate(request.sent) if not _empty(document)]
    return Windows(
        request.query, tuple(document for _, document in kept), tuple(number for number, _ in kept)
    )


def apart(request: RerankRequest, tokens: int, before: tuple[str, str] = ("", "")) -> Windows:
    """For an embedder that reads `tokens` at once. `before`: what is put before the query and before a document."""
    room = _room(tokens)
    query, cut = _start(request.query, max(1, room - estimate_tokens(before[0])))
    return _windows(request, query, cut, room - estimate_tokens(before[1]), request.texts)


def together(request: RerankRequest, tokens: int) -> Windows:
    """For a reranker that reads `tokens` at once: the query and a document. A long query leaves half of them."""
    room = _room(tokens)
    query, cut = _start(request.query, room // 2)
    return _windows(request, query, cut, room - estimate_tokens(query), request.sent)


def _room(tokens: int) -> int:
    return max(8, int((tokens - _SPECIAL) / _SAFETY))


def _windows(request: RerankRequest, query: str, cut_query: bool, room: int, sent: Sequence[Any]) -> Windows:
    """Raises Refusal(aicc_invalid_request) for more text than is read for one request."""
    texts: list[Any] = []
    owners: list[int] = []
    cut = 0
    for number, document in enumerate(sent):
        if _empty(document):
            continue
        found, ends = _read(request, document, room) if isinstance(document, str) else ([document], False)
        texts += found
        owners += [number] * len(found)
        cut += ends
        if len(texts) > MAX_WINDOWS:
            raise bad_field(
                "documents",
                f"together more than {MAX_WINDOWS} windows of about {room} tokens; send fewer, shorter texts, "
                "or lower max_chunks_per_doc.",
            )
    return Windows(query, tuple(texts), tuple(owners), cut, cut_query)


def _empty(document: Any) -> bool:
    return isinstance(document, str) and not document.strip()


def _read(request: RerankRequest, text: str, room: int) -> tuple[list[str], bool]:
    """The windows of one document, and whether its end is in none of them."""
    ends = False
    if request.max_tokens:
        text, ends = _start(text, request.max_tokens)
    parts = list(islice(_parts(text, max(1, room)), request.max_windows))
    return [window for window, _ in parts], ends or parts[-1][1]


def _start(text: str, tokens: int) -> tuple[str, bool]:
    """As much of the text as `tokens` hold, and whether that is not all."""
    return next(_parts(text, tokens))


def _parts(text: str, tokens: int) -> Iterator[tuple[str, bool]]:
    """Overlapping windows of up to `tokens` tokens; with each, whether more follows."""
    size = max(1, min(_PIECE, tokens // 4))
    count = -(-len(text) // size)
    costs: list[int] = []  # of each piece, as far as one was looked at

    def cost(piece: int) -> int:
        if piece == len(costs):
            costs.append(estimate_tokens(text[piece * size : (piece + 1) * size]))
        return costs[piece]

    start = 0
    while True:
        end, used = start, 0
        while end < count and (end == start or used + cost(end) <= tokens):
            used += cost(end)
            end += 1
        yield text[start * size : end * size], end < count
        if end >= count:
            return
        began, start, repeated = start, end, 0
        while start - 1 > began and repeated + cost(start - 1) <= tokens // _OVERLAP:
            start -= 1
            repeated += cost(start)
