"""Embeddings in the format a client asked for: LiteLLM drops `encoding_format` for Ollama and answers floats.

The OpenAI clients ask for base64 by default, so the gate asks every upstream for floats and packs them here.
"""

from __future__ import annotations

import base64
from collections.abc import MutableMapping
from typing import Any

import numpy as np
import orjson

from aicc_hooks.errors import bad_field

FORMATS = ("float", "base64")


def take_format(body: MutableMapping[str, Any]) -> str:
    """Remove `encoding_format` from an embeddings body and return it; "" when there was none.

    Raises Refusal for a format the API does not have.
    """
    wanted = body.pop("encoding_format", None)
    if wanted is None:
        return ""
    if wanted not in FORMATS:
        raise bad_field("encoding_format", "allowed: 'float' or 'base64'.")
    return str(wanted)


def pack(answer: bytes) -> bytes:
    """An embeddings answer with every list of floats as base64 of little-endian 32-bit floats.

    What is not such an answer is returned as it is.
    """
    try:
        tree = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return answer
    rows = tree.get("data") if isinstance(tree, dict) else None
    for row in rows if isinstance(rows, list) else ():
        vector = row.get("embedding") if isinstance(row, dict) else None
        if isinstance(vector, list):
            row["embedding"] = base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")
    return orjson.dumps(tree)
