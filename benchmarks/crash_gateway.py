"""The `litellm` command with one native library left out: `python -m benchmarks.crash_gateway --config …`.

`AICC_HUNT_OFF` names it. A library that is missing is found missing by those who import it and have a way without; orjson has
none in LiteLLM, so json stands in for it.
"""

from __future__ import annotations

import json
import os
import sys
import types
from typing import Any

OFF = ("uvloop", "hiredis", "orjson", "rust", "httptools")


def _plain_orjson() -> types.ModuleType:
    module: Any = types.ModuleType("orjson")

    def dumps(value: Any, default: Any = None, option: int | None = None) -> bytes:
        flags = option or 0
        text = json.dumps(
            value,
            default=default,
            sort_keys=bool(flags & module.OPT_SORT_KEYS),
            indent=2 if flags & module.OPT_INDENT_2 else None,
            separators=None if flags & module.OPT_INDENT_2 else (",", ":"),
            ensure_ascii=False,
        )
        return text.encode("utf-8")

    module.dumps, module.loads = dumps, json.loads
    module.JSONDecodeError, module.JSONEncodeError = json.JSONDecodeError, TypeError
    module.__getattr__ = lambda name: 1 << 20 if name.startswith("OPT_") else _absent(name)
    module.OPT_INDENT_2, module.OPT_SORT_KEYS, module.OPT_NON_STR_KEYS = 1, 32, 4
    return module  # type: ignore[no-any-return]


def _absent(name: str) -> Any:
    raise AttributeError(name)


def leave_out(name: str) -> None:
    """Before anything is imported. Raises ValueError for a name it does not know."""
    if not name:
        return
    if name not in OFF:
        raise ValueError(f"{name!r} cannot be left out; known: {', '.join(OFF)}")
    if name == "orjson":
        sys.modules["orjson"] = _plain_orjson()
    elif name == "rust":
        os.environ["LITELLM_RUST"] = "false"
        sys.modules["litellm.rust_bridge._native"] = None  # type: ignore[assignment]
    else:
        sys.modules[name] = None  # type: ignore[assignment]


def main() -> None:
    """Leave it out, say what is there, run LiteLLM."""
    name = os.environ.get("AICC_HUNT_OFF", "")
    leave_out(name)
    from litellm.proxy import proxy_cli

    if name == "uvloop":
        proxy_cli.ProxyInitializationHelpers.get_loop_type = staticmethod(lambda: "asyncio")
    proxy_cli.run_server()


if __name__ == "__main__":
    main()
