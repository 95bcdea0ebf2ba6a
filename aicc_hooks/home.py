"""Where the user's files are: AICC_HOME, or ~/.config/ai-command-center."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path


def home_dir(env: Mapping[str, str] = os.environ) -> Path:
    """The gateway's folder. It may not exist yet."""
    override = env.get("AICC_HOME", "").strip()
    return Path(override).expanduser() if override else Path.home() / ".config" / "ai-command-center"


def shipped(name: str) -> Path:
    """A file of litellm_config/, from the wheel or from the source tree."""
    return shipped_folder("litellm_config") / name


def shipped_folder(name: str) -> Path:
    """`litellm_config`, `compose` or `launchd`, from the wheel or from the source tree. It may not exist."""
    packaged = Path(str(files("aicc_hooks"))) / "_shipped" / name
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[1] / name


def policy_path(config_path: Path | None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The policy in force: AICC_POLICY, the home's, the one beside config.yaml, or None for the defaults."""
    if explicit := env.get("AICC_POLICY", "").strip():
        return Path(explicit).expanduser()
    places = [home_dir(env) / "policy.yaml"]
    if config_path is not None:
        places.append(config_path.parent / "policy.yaml")
    return next((place for place in places if place.exists()), None)
