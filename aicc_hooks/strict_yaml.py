"""YAML of the user's own files: a key given twice is refused, and every fault is one exception with its place."""

from __future__ import annotations

from typing import Any

import yaml


class BadYaml(Exception):
    """The text cannot be read as YAML; the message says where and why, without the file's name."""


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key given twice: YAML lets the second win, which drops the first section's rules silently."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """PyYAML's own, with the place of a value it recognises and cannot make: 2026-13-45 is a date to it."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError, LookupError, AttributeError) as error:
            shown = node.value[:40] if isinstance(node, yaml.ScalarNode) else node.tag
            raise yaml.MarkedYAMLError(
                problem=f"{shown!r} is no value: {str(error).partition(';')[0] if isinstance(error, ValueError) else 'not of this type'}",
                problem_mark=node.start_mark,
            ) from None


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


def read_yaml(text: str) -> Any:
    """The text's tree; {} for an empty one. Raises BadYaml."""
    try:
        tree = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadYaml(f"not valid YAML{where}: {getattr(error, 'problem', None) or 'syntax error'}") from None
    except RecursionError:
        raise BadYaml("not valid YAML: nested too deeply, or a part that holds itself") from None
    except TypeError:  # a list or mapping as a key
        raise BadYaml("not valid YAML: a key must be a word") from None
    return {} if tree is None else tree
