"""config.yaml read without LiteLLM: what is wrong is named, what is right gives the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from aicc_hooks.errors import ConfigError, GatewayConfigError
from aicc_hooks.gateway_config import default_config_path, load_all, load_config, offline_catalog
from aicc_hooks.home import policy_path, shipped
from aicc_hooks.locality import Locality
from aicc_hooks.policy.schema import LOOPBACK_HOSTS

MODEL: dict[str, Any] = {"model_name": "m", "litellm_params": {"model": "ollama_chat/x"}}


def file(tmp_path: Path, tree: Any) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree))
    return path


def model(**changes: Any) -> dict[str, Any]:
    return {"model_list": [{**MODEL, **changes}]}


WRONG: list[tuple[str, Any, list[str]]] = [
    ("yaml", "model_list: [", ["not valid YAML", "line"]),
    ("no date", "model_list: 2026-13-45", ["not valid YAML", "month must be in 1..12"]),
    ("nested too deeply", "[" * 3000, ["not valid YAML", "nested"]),
    ("list", "[]", ["mapping", "list"]),
    ("empty file", "", ["mapping", "NoneType"]),
    ("no models", {"model_list": []}, ["model_list", "at least one"]),
    ("models as mapping", {"model_list": {"a": 1}}, ["model_list", "dict"]),
    ("no name", {"model_list": [{"litellm_params": {"model": "x"}}]}, ["model_list[0].model_name"]),
    ("no params", {"model_list": [MODEL, {"model_name": "n"}]}, ["model_list[1].litellm_params.model", "ollama_chat/"]),
    ("shell reference", model(litellm_params={"model": "x", "api_base": "${OLLAMA_BASE_URL}"}), ["litellm_params.api_base", "os.environ/NAME"]),
    ("two addresses", model(litellm_params={"model": "x", "api_base": "http://a", "base_url": "http://b"}), ["litellm_params.base_url", "keep api_base"]),
    ("context as words", model(model_info={"max_input_tokens": "32k"}), ["model_info.max_input_tokens", "'32k'", "number"]),
    ("context as bool", model(model_info={"context_length": True}), ["model_info.context_length"]),
    ("batch of none", model(model_info={"max_client_batch_size": 0}), ["model_info.max_client_batch_size", "'0'", "number of texts"]),
    ("info as list", model(model_info=["tools"]), ["model_info", "list"]),
    ("sqlite", {**model(), "general_settings": {"database_url": "sqlite:///x.db"}}, ["general_settings.database_url", "PostgreSQL"]),
    ("settings as text", {**model(), "general_settings": "x"}, ["general_settings", "str", "mapping"]),
    ("global address", {**model(), "litellm_settings": {"api_base": "https://cloud.example"}}, ["litellm_settings.api_base", "overrides"]),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_named(tmp_path: Path, tree: Any, words: list[str]) -> None:
    path = file(tmp_path, tree)
    with pytest.raises(GatewayConfigError) as caught:
        load_config(path, {})
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(GatewayConfigError, match="aicc init"):
        load_config(tmp_path / "gone.yaml", {})


def test_environment_values_decide_what_is_local(tmp_path: Path) -> None:
    path = file(tmp_path, model(litellm_params={"model": "ollama_chat/x", "api_base": "os.environ/WHERE"}))

    def local(env: dict[str, str]) -> bool:
        places = Locality(LOOPBACK_HOSTS, resolver=lambda host: {"localhost": ["127.0.0.1"]}[host])
        return offline_catalog(load_config(path, env), places, env).groups["m"].local

    assert local({"WHERE": "http://127.0.0.1:1"})
    assert not local({"WHERE": "http://93.184.216.34"})
    assert local({}), "LiteLLM turns an unset variable into Ollama's default address"
    assert not local({"OLLAMA_API_BASE": "http://93.184.216.34"})


def test_a_cloud_model_without_an_address_is_not_local(tmp_path: Path) -> None:
    path = file(tmp_path, model(litellm_params={"model": "openai/gpt-4.1-mini"}))
    assert not offline_catalog(load_config(path, {}), Locality(["0.0.0.0/0", "::/0"]), {}).groups["m"].local


@pytest.mark.parametrize("name", ["config.yaml", "demo.yaml"])
def test_shipped_files_fit_the_shipped_policy(name: str, tmp_path: Path) -> None:
    env = {"AICC_HOME": str(tmp_path), "AICC_POLICY": str(shipped("policy.yaml"))}
    loaded, policy = load_all(shipped(name), env)
    catalog = offline_catalog(loaded, Locality(policy.policy.local_hosts), env)
    assert {"qwen-local", "deepseek-local", "llama-fast", "embed-local", *policy.policy.routing.aliases} <= set(
        catalog.groups
    )  # fmt: skip
    assert not catalog.groups["deepseek-local"].tools
    assert all(g.only_local for g in catalog.groups.values())
    assert catalog.demo == (name == "demo.yaml")
    assert catalog.groups["embed-local"].mode == "embedding"


def test_a_policy_whose_route_is_missing_is_refused_with_its_field(tmp_path: Path) -> None:
    path = file(tmp_path, model())
    with pytest.raises(ConfigError, match=r"routing\.\w+_route: found .* allowed: m"):
        load_all(path, {"AICC_HOME": str(tmp_path)})


def test_whose_files_win(tmp_path: Path) -> None:
    home, beside = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    beside.mkdir()
    env = {"AICC_HOME": str(home)}
    config = beside / "config.yaml"
    assert policy_path(config, env) is None
    assert default_config_path(env) == shipped("config.yaml")
    (beside / "policy.yaml").touch()
    assert policy_path(config, env) == beside / "policy.yaml"
    (home / "policy.yaml").touch()
    (home / "config.yaml").touch()
    assert policy_path(config, env) == home / "policy.yaml"
    assert default_config_path(env) == home / "config.yaml"
    assert policy_path(config, {**env, "AICC_POLICY": "/x/p.yaml"}) == Path("/x/p.yaml")
