"""The files that come with the package: config, policy, compose stack, plist templates."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from aicc_hooks.errors import OpsError
from aicc_hooks.home import shipped_folder


def folder(name: str) -> Path:
    """`litellm_config`, `compose` or `launchd`, from the wheel or from the source tree. Raises OpsError."""
    place = shipped_folder(name)
    if place.is_dir():
        return place
    raise OpsError(
        f"the installed package lacks its folder {name}; reinstall it: pip install --force-reinstall aicc-hooks"
    )


def program() -> Path:
    """The absolute path of the `aicc` command of this installation."""
    beside = Path(sys.executable).with_name("aicc")
    return beside if beside.exists() else Path(sys.argv[0]).resolve()


def installable() -> dict[str, bytes]:
    """What `aicc init` puts into the user's folder, by relative name."""
    config = folder("litellm_config")
    out: dict[str, bytes] = {}
    for name in ("config.yaml", "policy.yaml", "experiments.yaml", "tensorzero.toml"):
        if (config / name).exists():
            out[name] = (config / name).read_bytes()
    script = (config / "start_litellm.sh").read_text(encoding="utf-8")
    # The copy in the user's folder must find this installation wherever it is started from.
    out["start_litellm.sh"] = script.replace(
        'installed=""', f"installed={_shell(str(program()))}", 1
    ).encode()
    compose = folder("compose")
    for path in sorted(compose.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            out["compose/" + path.relative_to(compose).as_posix()] = path.read_bytes()
    return out


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
