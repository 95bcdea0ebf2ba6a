"""One gateway a folder: a lock that lives as long as the process, and says who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any

import httpx

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.ops.files import explain, private_dir

_NAME = ".gateway.lock"


def claim(home: Path, port: int) -> None:
    """Take the folder for as long as this process lives. Raises GatewayConfigError when it is taken."""
    private_dir(home)
    path = home / _NAME
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise explain(error, path) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = _holder(path)
        os.close(handle)
        who = f" (pid {holder['pid']}, port {holder['port']})" if holder else ""
        raise GatewayConfigError(
            f"a gateway already runs on {home}{who}; stop it, or give this one a folder of its own with AICC_HOME"
        ) from None
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "port": port}).encode(), 0)


def held(home: Path) -> dict[str, Any] | None:
    """`pid` and `port` of the gateway that holds this folder, {} when it has not said them yet; None when none does."""
    path = home / _NAME
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _holder(path)
        finally:
            os.close(handle)
    return None


def running(home: Path, port: int) -> str:
    """Who serves from this folder, in words; "" when nobody does."""
    holder = held(home)
    if holder is not None:
        return f"pid {holder['pid']}, port {holder['port']}" if holder else "a gateway"
    # Started as `litellm --config …` it holds no lock, but it answers.
    with contextlib.suppress(httpx.HTTPError):
        answer = httpx.get(f"http://127.0.0.1:{port}/aicc/health", timeout=1.0, trust_env=False)
        if answer.status_code in (200, 503) and "policy_version" in answer.text:
            return f"port {port}"
    return ""


def _holder(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) and {"pid", "port"} <= set(found) else {}
    except (OSError, ValueError):
        return {}
