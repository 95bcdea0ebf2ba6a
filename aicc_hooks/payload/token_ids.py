"""`input` of an embeddings request as token ids, made into the text they stand for.

langchain-openai sends ids by default, in lists of up to 8,191, by cl100k_base: the tokenizer of OpenAI's embedding models
and its choice for names it does not know. Ollama takes texts alone, another server would read the ids by its own
tokenizer, and nobody could look for private data in them. Ids of another tokenizer are told by the way back: their
text, tokenized again, gives other ids.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, Protocol

from aicc_hooks.errors import Refusal, bad_field

INLINE: Final = 2_000  # ids that are decoded in well under a millisecond
_COMPARED: Final = 2_048  # ids of one list that are compared
_LONG: Final = 64  # only a long text is cut, maybe within a word
_EDGE: Final = 8
_MIXED: Final = "allowed: a text, texts, token ids, or lists of token ids; not a mixture."


class Encoding(Protocol):
    """What of tiktoken's class is used."""

    def decode_bytes(self, tokens: Sequence[int]) -> bytes: ...

    def encode(self, text: str, *, disallowed_special: Collection[str]) -> list[int]: ...


def id_lists(value: Any) -> list[list[int]] | None:
    """The lists of ids in an `input`; None when it holds texts. Raises Refusal for a mixture."""
    if not isinstance(value, list):
        return None
    kinds = set(map(type, value))
    if kinds == {int}:
        return [value]
    if kinds.isdisjoint((int, float, bool, list, type(None))):
        return None  # texts; or parts of a multimodal model, which are not ours to judge
    if kinds != {list}:
        raise bad_field("input", _MIXED)
    for number, ids in enumerate(value):
        if not ids or set(map(type, ids)) != {int}:
            raise bad_field(f"input[{number}]", "allowed: a text, or token ids; at least one.")
    return value


def as_texts(lists: Sequence[Sequence[int]], encoding: Encoding) -> list[str] | None:
    """What the ids stand for; None when one of the lists is not of this tokenizer."""
    texts = []
    for ids in lists:
        try:
            raw = encoding.decode_bytes(ids)
            head = encoding.decode_bytes(ids[:_COMPARED]) if len(ids) > _COMPARED else raw
        except (KeyError, OverflowError, ValueError):
            return None
        again = encoding.encode(head.decode("utf-8", "replace"), disallowed_special=())
        if not _agree(list(ids[:_COMPARED]), again):
            return None
        texts.append(raw.decode("utf-8", "replace").strip("\N{REPLACEMENT CHARACTER}"))
    return texts


def not_texts() -> Refusal:
    """Why ids that cannot be read go to no Ollama model."""
    return bad_field(
        "input",
        "token ids of a tokenizer other than cl100k_base, and Ollama takes texts; send texts (langchain-openai: "
        "check_embedding_ctx_length=False).",
    )


def _agree(ids: list[int], again: list[int]) -> bool:
    if ids == again:
        return True
    if len(ids) < _LONG:
        return False
    inner, whole = ids[_EDGE:-_EDGE], ",".join(map(str, again))
    return f",{','.join(map(str, inner))}," in f",{whole},"
