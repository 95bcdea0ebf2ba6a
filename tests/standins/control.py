"""The control API every stand-in serves under /_stub/, for tests in another process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.standins.wire import Request, json_response

if TYPE_CHECKING:
    from tests.standins.server import StandIn


def control(stand_in: StandIn, request: Request) -> bytes:
    """GET requests · DELETE requests · POST faults · DELETE faults · POST reset · POST refuse · POST set."""
    action = request.path.removeprefix(stand_in.control_prefix)
    body: dict[str, Any] = request.json if isinstance(request.json, dict) else {}
    match request.method, action:
        case "GET", "requests":
            return json_response([r.summary() for r in stand_in.requests])
        case "GET", "count":
            return json_response({"count": len(stand_in._recorded)})
        case "DELETE", "requests":
            stand_in._recorded.clear()
        case "POST", "faults":
            try:
                stand_in.fail(**body)
            except (TypeError, ValueError) as exc:
                return json_response({"error": str(exc)}, 400)
        case "DELETE", "faults":
            stand_in._faults.clear()
            stand_in._wake()
        case "POST", "reset":
            stand_in._faults.clear()
            stand_in._wake()
            stand_in._recorded.clear()
        case "POST", "refuse":
            # The control connection closes with the listener, so refusal is for a stated time.
            stand_in._background = asyncio.ensure_future(_refuse(stand_in, float(body.get("seconds", 1.0))))
        case _:
            return json_response({"error": f"no control action {request.method} {action}"}, 404)
    return json_response({"ok": True})


async def _refuse(stand_in: StandIn, seconds: float) -> None:
    await asyncio.sleep(0.02)
    await stand_in._close_listener(abort=True)
    await asyncio.sleep(seconds)
    await stand_in.listen()
