"""Reading experiments.yaml: every refusal names the field, what was found and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from aicc_hooks.catalog import Catalog, build_catalog
from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.schema import Experiments
from aicc_hooks.field_names import closest, shown, unknown_key
from aicc_hooks.gateway_config import GatewayConfig
from aicc_hooks.policy import Policy
from aicc_hooks.strict_yaml import BadYaml, read_yaml


@dataclass(frozen=True, slots=True)
class Offered:
    """What experiments may name: chat groups of config.yaml, and the policy's names for "you choose"."""

    chat: tuple[str, ...]
    aliases: tuple[str, ...] = ()

    @classmethod
    def of(cls, catalog: Catalog, aliases: Iterable[str]) -> Offered:
        """Of a gateway's catalog. A name that is an alias is not a model of its own."""
        names = tuple(aliases)
        return cls(tuple(g.name for g in catalog.of_mode("chat") if g.name not in names), names)


def offered_by(config: GatewayConfig, policy: Policy | None) -> Offered:
    """What a config.yaml offers that no gateway runs with; without a usable policy its defaults count."""
    aliases = (policy or Policy()).routing.aliases
    return Offered.of(build_catalog(config.model_list, {}), aliases)


def read_experiments(path: Path, offered: Offered | None = None) -> Experiments:
    """experiments.yaml; empty where there is none. Raises GatewayConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Experiments()
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayConfigError(f"{path}: cannot be read ({type(error).__name__})") from None
    return parse_experiments(text, source=path.name, offered=offered)


def parse_experiments(
    text: str, *, source: str = "experiments.yaml", offered: Offered | None = None
) -> Experiments:
    """Parse and check the file; without `offered` its models are not checked. Raises GatewayConfigError."""
    try:
        tree = read_yaml(text)
    except BadYaml as error:
        raise GatewayConfigError(f"{source}: {error}") from None
    if not isinstance(tree, dict):
        raise GatewayConfigError(
            f"{source}: the file must be a mapping with `experiments`, found {type(tree).__name__}"
        )
    try:
        found = Experiments.model_validate(tree)
    except ValidationError as error:
        raise GatewayConfigError(
            f"{source}: " + "; ".join(_explain(item, tree) for item in _causes(error.errors())[:8])
        ) from None
    except RecursionError:
        raise GatewayConfigError(f"{source}: nested too deeply") from None
    if offered is not None:
        _check_names(found, offered, source)
    return found


def switched_off(path: Path | None) -> tuple[bool, frozenset[str]]:
    """What a file that is refused still says with `enabled: false`: all of them, or the names of some."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path is not None else ""
    except OSError:
        return False, frozenset()
    try:
        tree = read_yaml(text)
    except BadYaml:
        return _OFF.search(text) is not None, frozenset()
    if not isinstance(tree, dict):
        return False, frozenset()
    items = tree.get("experiments")
    named = (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
    names = frozenset(str(item.get("name")) for item in named if _is_off(item))
    return _is_off(tree), names


# The switch in a file that is no YAML: a line of its own that begins at the margin.
_OFF = re.compile(r"""^enabled[ \t]*:[ \t]*["']?(?:false|no|off|0)\b""", re.IGNORECASE | re.MULTILINE)


def _is_off(tree: Mapping[str, Any]) -> bool:
    try:
        return not TypeAdapter(bool).validate_python(tree.get("enabled", True))
    except ValidationError:
        return False


def _check_names(found: Experiments, offered: Offered, source: str) -> None:
    """A model or route that does not exist would leave an experiment without requests, and nobody told."""
    models, asked = set(offered.chat), {*offered.chat, *offered.aliases}
    for experiment in found.experiments:
        where = f"{source}: experiments.{experiment.name}"
        for name in experiment.target.models:
            _check(f"{where}.target.models", name, asked)
        for name in experiment.target.routes:
            _check(f"{where}.target.routes", name, models)
        for variant in experiment.variants:
            if variant.model in offered.aliases:
                raise GatewayConfigError(
                    f"{where}.variants.{variant.name}.model: found {variant.model!r}, which the policy lists as a name for "
                    "'you choose'; leave model out for what the policy chooses"
                )
            if variant.model:
                _check(f"{where}.variants.{variant.name}.model", variant.model, models)


def _check(field: str, name: str, allowed: Collection[str]) -> None:
    if name not in allowed:
        raise GatewayConfigError(
            f"{field}: found {shown(name)}, but config.yaml has no such chat model{closest(name, allowed)}; "
            f"allowed: {', '.join(sorted(allowed)) or 'none'}"
        )


def _causes(errors: Sequence[Any]) -> list[Any]:
    """Without what only follows from another: a list of variants is too short because one of them is wrong."""
    places = [tuple(item["loc"]) for item in errors]
    return [
        item
        for item, place in zip(errors, places, strict=True)
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


def _explain(item: Any, tree: Mapping[str, Any]) -> str:
    field = _named(item["loc"], tree) or "file"
    if item["type"] == "extra_forbidden":
        return f"{field}: {unknown_key(Experiments, item['loc'])}"
    said = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] in ("value_error", "missing"):  # ours say what was found
        return f"{field}: {said}"
    if item["type"] == "literal_error" and isinstance(item.get("input"), str):
        names = re.findall(r"'([^']+)'", str(item["ctx"]["expected"]))
        return f"{field}: found {shown(item['input'])}{closest(item['input'], names)}; allowed: {', '.join(names)}"
    if item["type"] == "string_pattern_mismatch":
        said = "allowed: letters, digits, '.', '_' and '-', up to 48 and none of the signs first"
    for theirs, ours in _WORDS.items():
        said = said.replace(theirs, ours)
    return f"{field}: found {shown(item.get('input'))}; {said.partition(' or instance of')[0]}"


# YAML has lists and mappings; tuples and models are how we keep them.
_WORDS = {
    "Input should be": "allowed:",
    "allowed: valid ": "allowed: a ",
    "valid tuple": "list",
    "Tuple": "the list",
    " after validation": "",
    "valid dictionary": "mapping",
    "a valid ": "a ",
    ", unable to parse string as a number": "",
    ", unable to interpret input": ": true or false",
}


def _named(place: Sequence[Any], tree: Any) -> str:
    """`experiments.0.variants.1.weight` as people call it: experiments.brief-answers.variants.brief.weight."""
    words = []
    for part in place:
        try:
            tree = tree[part]
        except (LookupError, TypeError):
            tree = None
        named = isinstance(part, int) and isinstance(tree, Mapping) and isinstance(tree.get("name"), str)
        words.append(tree["name"][:48].strip() if named else str(part))
    return ".".join(words)
