"""Servers on this machine that pass requests on: when they count as local."""

from __future__ import annotations

from pathlib import Path

import pytest

from aicc_hooks.catalog import build_catalog
from aicc_hooks.relay import stays_here
from tests.harness.gateway import ROOT

SHIPPED = (ROOT / "litellm_config" / "tensorzero.toml").read_text()
MODEL = "openai/tensorzero::model_name::qwen"
CLOUD = '\n[models.gpt]\nrouting = ["o"]\n[models.gpt.providers.o]\ntype = "openai"\nmodel_name = "gpt"\n'
CASES = {
    "the shipped file": (SHIPPED, MODEL, True),
    "a cloud provider beside it": (SHIPPED + CLOUD, MODEL, False),
    "a provider elsewhere": (SHIPPED.replace("127.0.0.1:11434", "ollama.example.org"), MODEL, False),
    "a model the file does not have": (SHIPPED, "openai/tensorzero::model_name::openai::gpt-4o", False),
    "a function": (SHIPPED, "openai/tensorzero::function_name::write", False),
    "another TensorZero behind it": (
        SHIPPED + '\n[gateway.relay]\ngateway_url = "https://hub.example.org"\n',
        MODEL,
        False,
    ),
    "another one here, whose providers nobody knows": (
        SHIPPED + '\n[gateway.relay]\ngateway_url = "http://127.0.0.1:8001"\n',
        MODEL,
        False,
    ),
    "files kept in a cloud": (
        SHIPPED + '\n[object_storage]\ntype = "s3_compatible"\nbucket_name = "b"\n',
        MODEL,
        False,
    ),
    "files kept here": (
        SHIPPED + '\n[object_storage]\ntype = "filesystem"\npath = "/tmp/kept"\n',
        MODEL,
        True,
    ),
    "a URL elsewhere": (
        SHIPPED + '\n[tools.t]\ndescription = "x"\nparameters = "https://example.org/t.json"\n',
        MODEL,
        False,
    ),
    "no TOML": ("models = [", MODEL, False),
    "empty": ("", MODEL, False),
}


@pytest.mark.parametrize("case", CASES)
def test_tensorzero_is_local_only_by_its_file(case: str, tmp_path: Path) -> None:
    text, model, local = CASES[case]
    path = tmp_path / "tensorzero.toml"
    path.write_text(text)
    assert stays_here({"model": model}, {"tensorzero_config": str(path)}) is local
    path.write_text(SHIPPED + CLOUD + "# changed")
    assert stays_here({"model": model}, {"tensorzero_config": str(path)}) is False, (
        "a changed file is read again"
    )


def test_without_a_file_it_is_not_local() -> None:
    assert not stays_here({"model": MODEL}, {})
    assert not stays_here({"model": MODEL}, {"tensorzero_config": "/nowhere.toml"})


def test_the_owner_can_say_that_a_server_passes_requests_on() -> None:
    entry = {"model_name": "m", "litellm_params": {"model": "openai/x", "api_base": "http://127.0.0.1:9000"}}
    here = {"http://127.0.0.1:9000": True}
    assert build_catalog([entry], here).groups["m"].local
    assert not build_catalog([{**entry, "model_info": {"local": False}}], here).groups["m"].local
