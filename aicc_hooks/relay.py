"""Servers on this machine that pass requests on: an address of loopback alone does not make them local.

`model_info.local: false` says so for any of them. An Ollama here runs models of its own and passes those tagged
`cloud` on to ollama.com; under another name it tells by `remote_host` (docs.ollama.com/cloud). A TensorZero model is local only when the file named by
`model_info.tensorzero_config` can be read and names nothing but providers, stores and collectors on this machine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_MARK, _BY_NAME = "tensorzero::", "tensorzero::model_name::"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def stays_here(params: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """False when a deployment may pass requests on to elsewhere, whatever its own address.

    `params`: litellm_params or call kwargs; `info`: model_info.
    """
    if info.get("local") is False:
        return False
    model = str(params.get("model") or "")
    if _MARK not in model:
        return not cloud_tag(model)
    path = Path(str(info.get("tensorzero_config") or "")).expanduser()
    try:
        status = path.stat()
    except OSError:
        return False
    name = model.partition(_BY_NAME)[2]
    return name in _local_models(path, status.st_mtime_ns, status.st_size)


def cloud_tag(model: str) -> bool:
    """Whether a name is one of Ollama's cloud models: `gpt-oss:120b-cloud`, `glm-4.6:cloud`."""
    tag = model.rpartition(":")[2].lower() if ":" in model else ""
    return tag == "cloud" or tag.endswith("-cloud")


def _addresses(tree: Any) -> Iterator[str]:
    """Every URL of the file: a database, a collector of traces and whatever comes next are told prompts too."""
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, list):
        for value in tree:
            yield from _addresses(value)
    elif isinstance(tree, str) and "://" in tree:
        yield tree


@lru_cache(maxsize=16)
def _local_models(path: Path, _mtime: int, _size: int) -> frozenset[str]:
    """Models of a TensorZero file that names local providers alone; none when it names another.

    Functions and shorthand names (`openai::…`), which need no entry in the file, are in no such list.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        models = tree.get("models", {})
        every = [*models.values(), *tree.get("embedding_models", {}).values()]
        hosts = [
            urlsplit(str(p.get("api_base") or "")).hostname
            for m in every
            for p in m.get("providers", {}).values()
        ]
        away = (
            "relay" in tree.get("gateway", {})  # passes every request on to another TensorZero
            or tree.get("object_storage", {}).get("type") not in (None, "disabled", "filesystem")
            or any(urlsplit(url).hostname not in _LOOPBACK for url in _addresses(tree))
        )
    except (OSError, ValueError, AttributeError, RecursionError):
        return frozenset()
    if away:
        return frozenset()
    # A provider without an address is its vendor's cloud.
    return frozenset(models) if hosts and all(host in _LOOPBACK for host in hosts) else frozenset()
