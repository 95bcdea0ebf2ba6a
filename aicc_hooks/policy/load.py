"""Reading policy.yaml: every refusal names the field, what was found and what is allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aicc_hooks.errors import PolicyError
from aicc_hooks.field_names import closest, unknown_key
from aicc_hooks.policy.schema import Policy
from aicc_hooks.strict_yaml import BadYaml, read_yaml

_SHOWN = 60  # characters of a found value in a message; a policy may hold a pattern made of a secret


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A valid policy with the identity that health and records show."""

    policy: Policy
    version: str  # first 12 hex digits of the file's SHA-256
    source: str  # file name for people, "built-in defaults" without a file


def load_policy(path: Path | None, *, groups: Iterable[str] | None = None) -> LoadedPolicy:
    """Read and check a policy file; None gives the defaults.

    `groups`: model groups of config.yaml; when given, every route must be one of them.
    Raises PolicyError.
    """
    if path is None:
        text, source = "", "built-in defaults"
    else:
        source = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(
                f"{source}: cannot be read ({type(error).__name__}); check the file and its permissions"
            ) from None
    policy = parse_policy(text, source=source)
    if groups is not None:
        check_routes(policy, groups, source=source)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return LoadedPolicy(policy, version, source)


def parse_policy(text: str, *, source: str = "policy.yaml") -> Policy:
    """Parse YAML text to a Policy. Raises PolicyError naming the first few fields that are wrong."""
    try:
        tree = read_yaml(text)
    except BadYaml as error:
        raise PolicyError(f"{source}: {error}") from None
    if not isinstance(tree, dict):
        raise PolicyError(f"{source}: the file must be a mapping of sections, found {type(tree).__name__}")
    try:
        return Policy.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()[:8]]
        raise PolicyError(f"{source}: " + "; ".join(lines)) from None


def check_routes(policy: Policy, groups: Iterable[str], *, source: str) -> None:
    """Every route must be a model group of config.yaml. Raises PolicyError."""
    known = sorted(set(groups) - set(policy.routing.aliases))
    for key, group in policy.routing.routes().items():
        if group in policy.routing.aliases:
            raise PolicyError(
                f"{source}: routing.{key}: found {group!r}, which routing.aliases lists as a name for 'you choose'; "
                f"allowed: {', '.join(known) or 'none'}"
            )
        if group not in known:
            raise PolicyError(
                f"{source}: routing.{key}: found {group!r}, but config.yaml has no such model group{closest(group, known)}; "
                f"allowed: {', '.join(known) or 'none'}"
            )


def _explain(item: Any) -> str:
    field = ".".join(str(part) for part in item["loc"]) or "file"
    found = repr(item.get("input"))
    if len(found) > _SHOWN:
        found = found[:_SHOWN] + "…"
    if item["type"] == "extra_forbidden":
        return f"{field}: {unknown_key(Policy, item['loc'])}"
    return f"{field}: found {found}; {item['msg'][0].lower()}{item['msg'][1:]}"
