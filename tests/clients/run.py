"""Install the clients into .venv-clients, run each against a gateway with the Ollama stand-in, print a table.

python -m tests.clients.run             # all; the first run downloads about 3 GB, of which n8n is two
python -m tests.clients.run openai      # those whose name begins so
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.harness import GatewayProcess
from tests.ollama_stub import OllamaStub

HERE = Path(__file__).resolve().parent
RECIPES = HERE.parents[1] / "integrations"
TOKENIZERS = Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers"
PLACE = HERE.parents[1] / ".venv-clients"


@dataclass(frozen=True)
class Client:
    """`script` is run by the Python of venv `place`, by node in folder `place`, or by sh."""

    name: str
    place: str
    script: str
    packages: tuple[str, ...]
    limit_s: int = 300
    overrides: Mapping[str, str] = field(default_factory=dict)  # npm: other versions of what packages need
    node: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "node", self.script.endswith(".mjs"))


CLIENTS = (
    Client("openai-python newest", "small", "openai_python.py", ("openai", "langchain-openai")),
    Client("openai-python 2.0", "openai2", "openai_python.py", ("openai>=2,<2.1",)),
    Client("langchain-openai", "small", "langchain_python.py", ("openai", "langchain-openai")),
    Client("llm", "llm", "llm_cli.py", ("llm",)),
    Client("CrewAI", "crewai", "crewai_crew.py", ("crewai",)),
    Client("Dify dify_plugin", "dify", "dify_models.py", ("dify_plugin",)),
    Client("openai npm", "node", "openai_node.mjs", ("openai", "ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "zod")),
    Client("Vercel AI SDK", "node", "ai_sdk.mjs", ("openai", "ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "zod")),
    Client("Continue", "continue", "continue_cli.mjs", ("@continuedev/cli",)),
    Client("recipe Python", "small", f"{RECIPES}/python/chat.py", ("openai", "langchain-openai")),
    Client("recipe CrewAI", "crewai", f"{RECIPES}/crewai/crew.py", ("crewai",)),
    Client("recipe Node", "node", f"{RECIPES}/node/chat.mjs", ("openai", "ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "zod")),
    Client("recipe AI SDK", "node", f"{RECIPES}/node/ai-sdk.mjs", ("openai", "ai", "@ai-sdk/openai", "@ai-sdk/openai-compatible", "zod")),
    Client("recipe curl", "small", f"{RECIPES}/curl/chat.sh", ("openai", "langchain-openai")),
    # n8n takes xlsx from a place of its own; the pin keeps the install to one source, and no workflow here reads a spreadsheet.
    Client("n8n", "n8n", "n8n_flows.mjs", ("n8n",), limit_s=900, overrides={"xlsx": "0.18.5"}),
)  # fmt: skip


def install(client: Client) -> None:
    """Once per folder; delete .venv-clients to get newer versions."""
    folder = PLACE / client.place
    done = folder / ".ok"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"installing {' '.join(client.packages)} …", flush=True)
    if client.node:
        about = {"private": True, "type": "module", "overrides": dict(client.overrides)}
        (folder / "package.json").write_text(json.dumps(about))
        command = [
            "npm",
            "install",
            "--no-audit",
            "--no-fund",
            "--silent",
            *map(_for_this_node, client.packages),
        ]
        subprocess.run(command, cwd=folder, check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        subprocess.run([*pip, *client.packages], check=True, stderr=subprocess.DEVNULL)
    done.touch()


def _for_this_node(package: str) -> str:
    """The newest n8n wants Node 24; 2.8.4 runs on Node 20.19 too."""
    return "n8n@2.8.4" if package == "n8n" and _node_major() < 24 else package


@functools.cache
def _node_major() -> int:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.strip().lstrip("v").partition(".")[0])


def run(client: Client, url: str, key: str) -> tuple[bool, str]:
    """Output and whether all checks passed."""
    folder = PLACE / client.place
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "AICC_", "PYTHON"))}
    env |= {
        "AICC_INTEGRATIONS": str(RECIPES),
        "AICC_URL": url,
        "AICC_MASTER_KEY": key,
        "TIKTOKEN_CACHE_DIR": str(TOKENIZERS),  # langchain-openai would fetch its tokenizer
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    if client.node:
        # Node resolves packages beside the script, so the scripts are copied next to node_modules.
        for script in (*HERE.glob("*.mjs"), HERE / client.script):
            shutil.copy(script, folder / script.name)
        command, cwd = ["node", Path(client.script).name], folder
    else:
        program = "sh" if client.script.endswith(".sh") else str(folder / "bin" / "python")
        command, cwd = [program, str(HERE / client.script)], HERE
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=client.limit_s
        )
    except subprocess.TimeoutExpired:
        return False, f"no end within {client.limit_s} s"
    return done.returncode == 0, done.stdout + (done.stderr if done.returncode else "")


def main() -> int:
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    chosen = [c for c in CLIENTS if not wanted or any(c.name.lower().startswith(w.lower()) for w in wanted)]
    rows: list[str] = []
    failed = 0
    with OllamaStub() as stub, GatewayProcess(ollama_url=stub.url) as gateway:
        for client in chosen:
            try:
                install(client)
            except (subprocess.CalledProcessError, FileNotFoundError) as error:
                rows.append(f"{client.name:24} not installed ({type(error).__name__})")
                failed += 1
                continue
            begin = time.monotonic()
            passed, output = run(client, gateway.url, gateway.key)
            checks = output.count("ok    ") or "no"  # a recipe checks nothing, it must end well
            print(f"--- {client.name}\n{output}", flush=True)
            rows.append(
                f"{client.name:24} {'pass' if passed else 'FAIL'}  {checks!s:>3} checks  {time.monotonic() - begin:5.1f} s"
            )
            failed += not passed
    print("\n".join(["", *rows]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
