"""What a request has attached, and the model that was chosen for it: no model answers without having seen it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.errors import Refusal
from aicc_hooks.payload import files
from aicc_hooks.verdict import Decision

_KINDS = {"capability:files": "file", "capability:vision": "image", "capability:audio": "audio", "capability:links": "link"}  # fmt: skip


async def settle(runtime: Runtime, call: Call, body: dict[str, Any], *, large: bool) -> bool:
    """Write readable files as text where the chosen model takes no files. True when the body changed.

    A model that takes them gets them as they are, and then no other may answer in its place. `large`: read in a thread.
    """
    if (
        call.decision is None
        or call.needs is None
        or call.extract is None
        or "text" not in call.extract.places
    ):
        return False
    read = files.inlined
    made = await asyncio.to_thread(read, call.endpoint, body) if large else read(call.endpoint, body)
    if made is None:
        return False
    group = runtime.catalog.groups.get(call.decision.route)
    if group is not None and group.files:
        call.needs = replace(call.needs, files=True)
        return False
    body[files.place_of(call.endpoint)] = made
    return True


def place(call: Call, decision: Decision) -> str | None:
    """Where the attachment stands that no model can take; None when that is not why a request is refused."""
    kind = _KINDS.get(decision.reason)
    return call.extract.places.get(kind) if kind and call.extract is not None else None


def unseen() -> Refusal:
    """Why a request with attachments is not passed on to a model that would not see them."""
    return Refusal(
        "aicc_upstream_down",
        "The model that can read what is attached does not answer, and the next one would not see it.",
        503,
    )
