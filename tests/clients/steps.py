"""What every Python client script shares: where the gateway is, and one line a check. Needs no packages."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

URL = os.environ.get("AICC_URL", "http://127.0.0.1:4000")
KEY = os.environ.get("AICC_MASTER_KEY", "")
CITY_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Oslo", "Köln"]}},
    "required": ["city"],
    "additionalProperties": False,
}
ASK = "What is the weather? Use the tool."
_STEPS: list[tuple[str, Callable[[], None]]] = []


def step(function: Callable[[], None]) -> Callable[[], None]:
    """Register a check; its name is what the report shows."""
    _STEPS.append((function.__name__.replace("_", " "), function))
    return function


def main() -> None:
    """Run all checks; exit 1 when one failed."""
    failed = 0
    for name, function in _STEPS:
        try:
            function()
            print(f"ok    {name}")
        except Exception:
            failed += 1
            print(f"FAIL  {name}")
            traceback.print_exc()
    sys.exit(1 if failed else 0)
