"""Rerankers that refuse what their servers refuse: too long a pair of query and document, too many texts in a call.

The shapes are those of llama.cpp, TEI and Infinity. A score is the share of the query's words that stand in the text.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any

from tests.standins.model_server import About, ModelServerStandIn
from tests.standins.wire import Reply, Request, json_response

_AROUND = 4  # tokens that a model puts around query and document


class RerankerStandIn(ModelServerStandIn):
    """`tokens` and `texts`: what it takes. `says`: the context it tells of. `chars`: of one token."""

    def __init__(
        self, kind: str, *, says: int = 0, tokens: int = 512, texts: int = 32, chars: int = 4
    ) -> None:
        super().__init__(kind, About("bge", context=says, trained=says, kind="reranker"))
        self.tokens, self.texts, self.chars = tokens, texts, chars
        self.refused = 0

    @property
    def deployment_of_it(self) -> dict[str, Any]:
        """litellm_params as docs/rerank.md has them."""
        provider, base = {
            "llama.cpp": ("openai", self.base_url),
            "tei": ("huggingface", self.url),
            "infinity": ("infinity", self.base_url),
        }[self.flavour.kind]
        return {"model": f"{provider}/bge", "api_base": base, "api_key": "none"}

    @property
    def calls(self) -> list[list[str]]:
        """The texts of each call that was answered."""
        return [r.notes["texts"] for r in self.requests if "texts" in r.notes]

    def handle(self, request: Request, reply: Reply) -> bytes | Awaitable[None]:
        if request.method != "POST" or not request.path.endswith("/rerank"):
            return super().handle(request, reply)
        body = request.json
        query, texts = body["query"], body["texts" if self.flavour.kind == "tei" else "documents"]
        longest = max(-(-(len(query) + len(text)) // self.chars) for text in texts) + _AROUND
        if len(texts) > self.texts or longest > self.tokens or not all(texts):
            self.refused += 1
            return self._refusal(len(texts), longest)
        request.notes["texts"] = texts
        words = set(re.findall(r"\w+", query.lower()))
        scores = [len(words & set(re.findall(r"\w+", text.lower()))) / len(words) for text in texts]
        return json_response(self._answer_of(scores))

    def _refusal(self, count: int, longest: int) -> bytes:
        many, kind = count > self.texts, self.flavour.kind
        if kind == "llama.cpp":
            what = f"input ({longest} tokens) is too large to process. increase the physical batch size (current batch size: {self.tokens})"
            return json_response({"error": {"code": 500, "message": what, "type": "server_error"}}, 500)
        what = (
            f"batch size {count} > maximum allowed batch size {self.texts}"
            if many
            else f"`inputs` must have less than {self.tokens} tokens. Given: {longest}"
        )
        return json_response({"error": what, "error_type": "Validation"}, 413)

    def _answer_of(self, scores: list[float]) -> Any:
        order = sorted(range(len(scores)), key=lambda number: -scores[number])
        if self.flavour.kind == "tei":
            return [{"index": number, "score": scores[number]} for number in order]
        rows = [{"index": number, "relevance_score": scores[number]} for number in order]
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        kind = "rerank" if self.flavour.kind == "infinity" else "list"
        return {
            "id": "r",
            "object": kind,
            "model": "bge",
            "created": 1738324800,
            "results": rows,
            "usage": usage,
        }
