"""Reranking by embeddings: Ollama has no rerank endpoint, so documents are ordered by cosine to the query.

A cross-encoder (bge-reranker and the like) reads query and document together and ranks better; configure one
as in docs/rerank.md when it matters. The answer says which of the two it was (`meta.aicc.method`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aicc_hooks.errors import bad_field

MAX_DOCUMENTS: Final = 1000
MAX_WINDOWS: Final = 4000  # texts embedded for one request
BATCH: Final = 64  # texts in one call to the embedder
# nomic-embed-text reads 2,048 tokens and Ollama cuts the rest off without a word. Three characters a token
# is low for English prose and about right for code and other languages.
WINDOW_CHARS: Final = 6000
_OVERLAP_CHARS: Final = 400
_PREFIXES: Final = {  # what a model was trained to see before a query and a document
    "nomic-embed": ("search_query: ", "search_document: "),
    "e5-": ("query: ", "passage: "),
    "mxbai-embed": ("Represent this sentence for searching relevant passages: ", ""),
}


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """A checked body. `originals` are the documents as sent, `texts` what of them is read."""

    query: str
    texts: tuple[str, ...]
    originals: tuple[Any, ...]
    top_n: int
    return_documents: bool
    max_windows: int  # of one document


@dataclass(frozen=True, slots=True)
class Ranked:
    """One result. `score` is the cosine, clipped to 0…1."""

    index: int
    score: float


def parse(body: Mapping[str, Any]) -> RerankRequest:
    """Check a Cohere- or Jina-shaped body. Raises Refusal(aicc_invalid_request)."""
    query = body.get("query")
    if isinstance(query, Mapping):
        query = query.get("text")
    if not isinstance(query, str) or not query.strip():
        raise bad_field("query", "found nothing to search for; send a text.")
    documents = body.get("documents")
    if not isinstance(documents, list) or not documents:
        raise bad_field("documents", "send a list with at least one text.")
    if len(documents) > MAX_DOCUMENTS:
        raise bad_field(
            "documents",
            f"found {len(documents)}; allowed: up to {MAX_DOCUMENTS}. Send them in parts and merge by score.",
        )
    fields = body.get("rank_fields")
    if fields is not None and not (isinstance(fields, list) and all(isinstance(f, str) for f in fields)):
        raise bad_field("rank_fields", "allowed: a list of field names.")
    top_n = body.get("top_n")
    if top_n is None:
        top_n = len(documents)
    if not isinstance(top_n, int) or isinstance(top_n, bool) or top_n < 1:
        raise bad_field("top_n", "allowed: a whole number of at least 1.")
    windows = body.get("max_chunks_per_doc")
    if windows is None:
        windows = 10
    if not isinstance(windows, int) or isinstance(windows, bool) or windows < 1:
        raise bad_field("max_chunks_per_doc", "allowed: a whole number of at least 1.")
    shown = body.get("return_documents")
    if shown is not None and not isinstance(shown, bool):
        raise bad_field("return_documents", "allowed: true or false.")
    texts = tuple(_text(document, number, fields) for number, document in enumerate(documents))
    request = RerankRequest(
        query, texts, tuple(documents), min(top_n, len(documents)), shown is not False, windows
    )
    if sum(1 for _ in windows_of(request)) > MAX_WINDOWS:
        raise bad_field(
            "documents",
            f"together more than {MAX_WINDOWS} windows of {WINDOW_CHARS} characters; send fewer, shorter texts, "
            "or lower max_chunks_per_doc.",
        )
    return request


def windows_of(request: RerankRequest) -> Iterator[tuple[int, str]]:
    """(document, text) pairs: a long document as overlapping windows, the best of which counts."""
    step = WINDOW_CHARS - _OVERLAP_CHARS
    for number, text in enumerate(request.texts):
        # A last window that only repeats the overlap would add nothing.
        starts = range(0, max(1, len(text) - _OVERLAP_CHARS), step)
        for start in starts[: request.max_windows]:
            yield number, text[start : start + WINDOW_CHARS] or " "


def prefixes(model: str) -> tuple[str, str]:
    """What to put before the query and before a document for this embedding model."""
    return next((pair for name, pair in _PREFIXES.items() if name in model.lower()), ("", ""))


def batches(texts: Sequence[str], size: int = BATCH) -> Iterator[Sequence[str]]:
    """Slices of at most `size`."""
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def rank(
    query: Sequence[float], vectors: Sequence[Sequence[float]], owners: Sequence[int], top_n: int
) -> list[Ranked]:
    """Documents by their best window's cosine, highest first; equal ones in the order they were sent.

    `vectors[i]` is a window of document `owners[i]`. Raises ValueError on vectors of another length.
    """
    matrix, wanted = np.asarray(vectors, dtype=np.float64), np.asarray(query, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape != (len(owners), wanted.shape[0]):
        raise ValueError("vectors differ in length or number")
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(wanted)
    cosines = np.divide(matrix @ wanted, norms, out=np.zeros(len(owners)), where=norms > 0)
    best: dict[int, float] = {}
    for owner, cosine in zip(owners, np.nan_to_num(cosines).tolist(), strict=True):
        best[owner] = max(best.get(owner, -2.0), cosine)
    order = sorted(best, key=lambda number: (-best[number], number))
    return [Ranked(number, round(min(1.0, max(0.0, best[number])), 6)) for number in order[:top_n]]


def answer(
    request: RerankRequest, ranked: Sequence[Ranked], *, call_id: str, model: str, embedder: str, tokens: int
) -> dict[str, Any]:
    """The response, readable as Cohere's (`meta`) and Jina's (`model`, `usage`)."""
    results = []
    for item in ranked:
        row: dict[str, Any] = {"index": item.index, "relevance_score": item.score}
        if request.return_documents:
            original = request.originals[item.index]
            row["document"] = original if isinstance(original, Mapping) else {"text": original}
        results.append(row)
    return {
        "id": f"rerank-{call_id}", "model": model, "object": "list", "results": results,
        "usage": {"total_tokens": tokens, "prompt_tokens": tokens},
        "meta": {"billed_units": {"search_units": 1}, "tokens": {"input_tokens": tokens},
                 "aicc": {"method": "embedding_cosine", "embedding_model": embedder}},
    }  # fmt: skip


def _text(document: Any, number: int, fields: list[str] | None) -> str:
    if isinstance(document, str):
        return document
    if isinstance(document, Mapping):
        if fields:
            return "\n".join(str(document[name]) for name in fields if document.get(name) is not None)
        text = document.get("text")
        if isinstance(text, str):
            return text
        if text is None:
            return json.dumps(document, ensure_ascii=False)
    raise bad_field(f"documents[{number}]", "allowed: a text, or an object with `text`.")
