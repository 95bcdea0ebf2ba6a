"""Reading policy.yaml: every refusal names the field, what was found and what is allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from aicc_hooks.errors import PolicyError
from aicc_hooks.policy.schema import Policy

_SHOWN = 60  # characters of a found value in a message; a policy may hold a pattern made of a secret


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key given twice: YAML lets the second win, which drops the first section's rules silently."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.tag == "tag:yaml.org,2002:str" and key.value in seen:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark
            )
        seen.add(key.value if isinstance(key.value, str) else "")
    loader.flatten_mapping(node)
    return {
        loader.construct_object(k, deep=True): loader.construct_object(v, deep=True) for k, v in node.value
    }


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


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
        tree = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise PolicyError(f"{source}: not valid YAML{where}: {problem}") from None
    if tree is None:
        tree = {}
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
            near = get_close_matches(group, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise PolicyError(
                f"{source}: routing.{key}: found {group!r}, but config.yaml has no such model group{hint}; "
                f"allowed: {', '.join(known) or 'none'}"
            )


def _explain(item: Any) -> str:
    field = ".".join(str(part) for part in item["loc"]) or "file"
    found = repr(item.get("input"))
    if len(found) > _SHOWN:
        found = found[:_SHOWN] + "…"
    if item["type"] == "extra_forbidden":
        allowed = _siblings(item["loc"])
        near = get_close_matches(str(item["loc"][-1]), allowed, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return f"{field}: unknown key{hint}; allowed here: {', '.join(allowed)}"
    return f"{field}: found {found}; {item['msg'][0].lower()}{item['msg'][1:]}"


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Policy
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue
        # An index or a name of one's own follows a list or a mapping: look at what it holds.
        inner = [field.annotation, *get_args(field.annotation)]
        model = next((t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)), None)
    return sorted(getattr(model, "model_fields", {}))
