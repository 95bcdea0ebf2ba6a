"""The installed LiteLLM is one that was tried, and what it forgets to install is made up for."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from aicc_hooks.litellm_releases import TRIED, untried

DOCS = (Path(__file__).parent.parent / "docs" / "litellm.md").read_text(encoding="utf-8")


def test_the_installed_release_was_tried() -> None:
    """Fails when the lock, or `make compat`, goes on to a minor release nobody tried: try it, then name it in TRIED."""
    assert untried(version("litellm")) == ""


@pytest.mark.parametrize("found", ["1.107.0", "1.10.2", "1.111.0rc1", "2.0.0", "nonsense"])
def test_another_minor_release_is_named(found: str) -> None:
    assert found in untried(found)
    assert all(release in untried(found) for release in TRIED)


def test_the_docs_name_what_was_tried() -> None:
    assert all(release in DOCS for release in TRIED)


HANDLERS = """
import asyncio
from aicc_hooks.adapter import selftest
from aicc_hooks.adapter.compat import ensure_prisma
print([asyncio.run(selftest._error_handlers(None)), ensure_prisma(), asyncio.run(selftest._error_handlers(None))])
"""


def test_the_error_handlers_run_without_a_database() -> None:
    """LiteLLM's look for a database's errors imports what `litellm[proxy]` does not install; the self-test tells."""
    command = [sys.executable, "-W", "ignore", "-c", HANDLERS]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert found.strip().endswith("its errors become a plain 500\", True, '']")


DOORS = """
import asyncio, litellm
from litellm.integrations.custom_logger import CustomLogger
class LastDoor(CustomLogger):
    async def async_pre_call_deployment_hook(self, kwargs, call_type):
        raise PermissionError
litellm.callbacks, litellm.suppress_debug_info = [LastDoor()], True
said = [{"role": "user", "content": "hi"}]
asks = {"acompletion": {"messages": said}, "atext_completion": {"prompt": "hi"}, "aembedding": {"input": "hi"},
        "aresponses": {"input": "hi"}, "anthropic_messages": {"messages": said, "max_tokens": 1}}
async def go():
    for name, fields in asks.items():
        provider = "anthropic" if name == "anthropic_messages" else "openai"
        try:
            await getattr(litellm, name)(model=provider + "/probe", api_base="http://127.0.0.1:1", api_key="k", **fields)
        except PermissionError:
            print("held", end=" ")
        except Exception as error:
            print(name, type(error).__name__, end=" ")
asyncio.run(go())
"""


@pytest.mark.parametrize("rust", ["false", "true"])
def test_the_last_door_stands_before_every_way_to_a_provider(rust: str) -> None:
    """Also where LITELLM_RUST lets native code make the call."""
    env = {**os.environ, "LITELLM_RUST": rust, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [sys.executable, "-W", "ignore", "-c", DOORS]
    found = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert found.split() == ["held"] * 5
