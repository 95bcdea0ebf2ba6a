"""Reranking as plain data: the checked request, the scores of a reranker or by cosine, the order, the answer.

Ollama has no rerank endpoint, so by default documents are ordered by the cosine of their embeddings. A cross-encoder
(bge-reranker and the like) reads query and document together and ranks better; configure one as in docs/rerank.md
when it matters. The answer says which of the two it was (`meta.aicc.method`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aicc_hooks.errors import bad_field
from aicc_hooks.field_names import shown

MAX_DOCUMENTS: Final = 1000
_LIMITS: Final = ("max_chunks_per_doc", "max_tokens_per_doc")  # of Cohere, first and second version
_WINDOWS: Final = 10  # of one document, where the client does not say
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
    limits: Mapping[str, int]  # what the client said of long documents, for a provider that cuts them itself

    @property
    def max_tokens(self) -> int:
        """How much of each document the client wants read, in tokens; 0: all of it."""
        return self.limits.get("max_tokens_per_doc", 0)

    @property
    def sent(self) -> list[Any]:
        """The documents for a reranker: texts, and pictures as they came."""
        pairs = zip(self.texts, self.originals, strict=True)
        return [o if isinstance(o, Mapping) and "image" in o else text for text, o in pairs]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One result. `score`: the cosine, clipped to 0…1, or whatever the reranker gives."""

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
    top_n = _count(body, "top_n") or len(documents)
    limits = {name: count for name in _LIMITS if (count := _count(body, name))}
    wanted = body.get("return_documents")
    if wanted is not None and not isinstance(wanted, bool):
        raise bad_field("return_documents", "allowed: true or false.")
    texts = tuple(_text(document, number, fields) for number, document in enumerate(documents))
    return RerankRequest(
        query,
        texts,
        tuple(documents),
        min(top_n, len(documents)),
        wanted is not False,
        limits.get("max_chunks_per_doc", _WINDOWS),
        limits,
    )


def scores(rows: Sequence[Mapping[str, Any]], count: int) -> list[float]:
    """A reranker's results as one score a text, in the order they were sent. Raises ValueError."""
    found: dict[int, float] = {}
    for row in rows:
        number, score = row.get("index"), row.get("relevance_score")
        if type(number) is not int or not 0 <= number < count:
            raise ValueError("a result of no document")
        if not isinstance(score, (int, float)) or not math.isfinite(score):
            raise ValueError("a result without a score")
        found[number] = float(score)
    if len(found) < count:
        raise ValueError("fewer results than documents")
    return [found[number] for number in range(count)]


def prefixes(model: str) -> tuple[str, str]:
    """What to put before the query and before a document for this embedding model."""
    return next((pair for name, pair in _PREFIXES.items() if name in model.lower()), ("", ""))


def batches(texts: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Slices of at most `size`."""
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def cosines(query: Sequence[float], vectors: Sequence[Sequence[float]]) -> list[float]:
    """Of each vector with the query's, cut to 0…1. Raises ValueError on vectors of another length."""
    matrix, wanted = np.asarray(vectors, dtype=np.float64), np.asarray(query, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != wanted.shape[0]:
        raise ValueError("vectors differ in length")
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(wanted)
    found = np.divide(matrix @ wanted, norms, out=np.zeros(len(matrix)), where=norms > 0)
    return [round(value, 6) for value in np.clip(np.nan_to_num(found), 0.0, 1.0).tolist()]


def rank(scored: Sequence[float], owners: Sequence[int], request: RerankRequest) -> list[Ranked]:
    """Documents by their best window, highest first and no more than asked; equal ones in the order they were sent.

    `scored[i]` is of a window of document `owners[i]`. A document without any is empty: it comes last, with 0 or the
    lowest score there is.
    """
    best: dict[int, float] = {}
    for owner, score in zip(owners, scored, strict=True):
        best[owner] = max(best.get(owner, score), score)
    lowest = min(0.0, *best.values()) if best else 0.0
    order = sorted(range(len(request.texts)), key=lambda n: (n not in best, -best.get(n, lowest)))
    return [Ranked(number, best.get(number, lowest)) for number in order[: request.top_n]]


def answer(
    request: RerankRequest,
    ranked: Sequence[Ranked],
    *,
    call_id: str,
    model: str,
    tokens: int,
    told: Mapping[str, Any],
) -> dict[str, Any]:
    """The response, readable as Cohere's (`meta`) and Jina's (`model`, `usage`). `told`: how it was ranked."""
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
        "meta": {"billed_units": {"search_units": 1}, "tokens": {"input_tokens": tokens}, "aicc": dict(told)},
    }  # fmt: skip


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # some clients know only one kind of number
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        # A text may be anything a client mixed up, its query too: it is not repeated.
        found = "a text" if isinstance(value, str) else shown(value)
        raise bad_field(name, f"found {found}; allowed: a whole number of at least 1.")
    return value


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
