"""config.yaml read without LiteLLM: for checks before the start, and for commands that need no gateway."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aicc_hooks.catalog import Catalog, address_of, build_catalog
from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.home import home_dir, policy_path, shipped
from aicc_hooks.locality import Locality
from aicc_hooks.policy import LoadedPolicy, check_routes, load_policy

_ENV = "os.environ/"


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """A parsed config.yaml with environment values filled in."""

    path: Path
    model_list: tuple[Mapping[str, Any], ...]
    tree: Mapping[str, Any]

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the model groups."""
        return tuple(str(entry["model_name"]) for entry in self.model_list)


def default_config_path(env: Mapping[str, str] = os.environ) -> Path:
    """AICC_HOME/config.yaml when it exists, else the shipped one."""
    own = home_dir(env) / "config.yaml"
    return own if own.exists() else shipped("config.yaml")


def load_config(path: Path, env: Mapping[str, str] = os.environ) -> GatewayConfig:
    """Read config.yaml. Raises GatewayConfigError naming field, what was found and what is allowed."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayConfigError(
            f"{path}: cannot be read ({type(error).__name__}); run `aicc init` or pass --config FILE"
        ) from None
    except RecursionError:
        raise GatewayConfigError(f"{path}: not valid YAML: nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2026-13-45 is a date to PyYAML
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        # What follows a colon in a ValueError may be a value of the file.
        known = (
            str(error).partition(":")[0] if isinstance(error, ValueError) else getattr(error, "problem", None)
        )
        raise GatewayConfigError(f"{path}: not valid YAML{where}: {known or 'syntax error'}") from None
    if not isinstance(tree, dict):
        raise GatewayConfigError(f"{path}: must be a mapping with model_list, found {type(tree).__name__}")
    models = tree.get("model_list")
    if not isinstance(models, list) or not models:
        raise GatewayConfigError(
            f"{path}: model_list: found {type(models).__name__}; allowed: a list with at least one model"
        )
    resolved = []
    for number, entry in enumerate(models):
        where = f"{path}: model_list[{number}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("model_name"), str):
            raise GatewayConfigError(
                f"{where}.model_name: missing; every model needs a name and litellm_params"
            )
        params = entry.get("litellm_params")
        if not isinstance(params, dict) or not isinstance(params.get("model"), str):
            raise GatewayConfigError(
                f"{where}.litellm_params.model: missing; e.g. ollama_chat/llama3.2:latest"
            )
        for key, value in params.items():
            if isinstance(value, str) and "${" in value:
                raise GatewayConfigError(
                    f"{where}.litellm_params.{key}: found a ${{…}} reference; LiteLLM only reads os.environ/NAME, as the whole value"
                )
        if params.get("api_base") and params.get("base_url"):
            raise GatewayConfigError(
                f"{where}.litellm_params.base_url: found beside api_base; LiteLLM uses one or the other by endpoint, keep api_base"
            )
        _check_info(entry.get("model_info"), f"{where}.model_info")
        resolved.append({**entry, "litellm_params": {k: _resolve(v, env) for k, v in params.items()}})
    for section in ("general_settings", "litellm_settings", "router_settings"):
        if not isinstance(tree.get(section), dict | None):
            raise GatewayConfigError(
                f"{path}: {section}: found {type(tree[section]).__name__}; allowed: a mapping"
            )
    if (tree.get("litellm_settings") or {}).get("api_base"):
        raise GatewayConfigError(
            f"{path}: litellm_settings.api_base: it overrides every model's own address, so no request could be kept on "
            "this machine; set api_base in each model's litellm_params"
        )
    database = (tree.get("general_settings") or {}).get("database_url")
    if isinstance(database, str) and database.startswith("sqlite"):
        raise GatewayConfigError(
            f"{path}: general_settings.database_url: LiteLLM supports only PostgreSQL here; remove it (usage is kept in usage.db)"
        )
    return GatewayConfig(path, tuple(resolved), tree)


def _check_info(info: Any, where: str) -> None:
    if info is None:
        return
    if not isinstance(info, dict):
        raise GatewayConfigError(f"{where}: found {type(info).__name__}; allowed: a mapping")
    for key in ("max_input_tokens", "context_length"):
        value = info.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise GatewayConfigError(f"{where}.{key}: found {str(value)[:20]!r}; allowed: a number of tokens")
    batch = info.get("max_client_batch_size")
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool) or batch < 1):
        raise GatewayConfigError(
            f"{where}.max_client_batch_size: found {str(batch)[:20]!r}; allowed: a number of texts"
        )


def offline_catalog(
    config: GatewayConfig, locality: Locality, env: Mapping[str, str] = os.environ
) -> Catalog:
    """The catalog the gateway would build from this file."""
    default = env.get("OLLAMA_API_BASE", "")
    addresses = {address_of(entry["litellm_params"], ollama_default=default) for entry in config.model_list}
    return build_catalog(
        config.model_list, {a: locality.check(a) for a in addresses if a}, ollama_default=default
    )


def load_all(config: Path | None, env: Mapping[str, str] = os.environ) -> tuple[GatewayConfig, LoadedPolicy]:
    """Config and policy as the gateway would use them, cross-checked. Raises ConfigError."""
    loaded = load_config(config or default_config_path(env), env)
    place = policy_path(loaded.path, env)
    policy = load_policy(place)
    check_routes(policy.policy, loaded.groups, source=policy.source)
    return loaded, policy


def _resolve(value: Any, env: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith(_ENV):
        return env.get(value[len(_ENV) :]) or None
    return value
