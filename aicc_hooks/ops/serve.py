"""What `aicc serve` checks and sets before LiteLLM starts."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from aicc_hooks.access import LAN_KEY, fit_for_lan, is_published
from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.foreign_callbacks import named_in_config, not_allowed, refusal
from aicc_hooks.gateway_config import default_config_path, load_all
from aicc_hooks.home import home_dir, shipped
from aicc_hooks.litellm_releases import untried
from aicc_hooks.ops.env_file import open_to_others, read_env_file
from aicc_hooks.ops.env_values import STACK_ONLY
from aicc_hooks.ops.listening import BACKLOG, open_port
from aicc_hooks.ops.restore import interrupted
from aicc_hooks.resilience.supervisor import Supervisor

_OTHER_SERVERS = {"--run_gunicorn", "--run_hypercorn", "--run_granian"}
# LiteLLM asks GitHub for a price list and prints banners unless told otherwise; a local gateway needs neither.
_QUIET_ENV = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",
    "DISABLE_ADMIN_UI": "True",
    "LITELLM_DONT_SHOW_FEEDBACK_BOX": "true",
    "LITELLM_TELEMETRY_DISABLED": "true",  # 1.108: off unless a database or an endpoint is named; this is its veto
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
}


@dataclass(frozen=True, slots=True)
class ServePlan:
    """Everything `run` needs: the command, its environment, what to tell the person, and the port, which `run` closes."""

    argv: tuple[str, ...]
    env: dict[str, str]
    notes: tuple[str, ...]
    port: socket.socket | None = None  # bound; None: a server other than uvicorn opens it itself


def prepare(
    *,
    config: Path | None,
    port: int | None,
    host: str | None,
    demo: bool,
    env: dict[str, str],
    extra: tuple[str, ...] = (),
) -> ServePlan:
    """Check config, policy, key and port; build the command. Raises ConfigError with what to do."""
    _check_extra(extra)
    notes: list[str] = []
    home = home_dir(env)
    env_file = home / ".env"
    if not demo:
        if open_to_others(env_file):
            notes.append(f"warning: {env_file} can be read by others; run: chmod 600 {env_file}")
        # What the shell sets wins over the file, as for every other tool.
        # The containers' passwords are no business of this process.
        own = {name: value for name, value in read_env_file(env_file).items() if name not in STACK_ONLY}
        if todo := interrupted(home):
            raise GatewayConfigError(todo)
        env = {**own, **env}
    env = {**_QUIET_ENV, **env}
    env.setdefault("OLLAMA_BASE_URL", "http://localhost:11434")
    path = config or (shipped("demo.yaml") if demo else default_config_path(env))
    if demo:
        # A demo leaves nothing in the owner's own folder.
        env["AICC_HOME"] = env.get("AICC_HOME") or str(
            Path(tempfile.gettempdir()) / f"aicc-demo-{os.getuid()}"
        )
        env["AICC_POLICY"] = env.get("AICC_POLICY") or str(shipped("policy.yaml"))
    loaded, policy = load_all(path, env)
    foreign = not_allowed(named_in_config(loaded.tree), policy.policy.redaction.allow_callbacks)
    if foreign:
        raise GatewayConfigError(refusal(foreign))
    key = env.get("AICC_MASTER_KEY", "").strip()
    if not key and demo:
        key = "sk-aicc-demo-" + secrets.token_urlsafe(18)
    if not key:
        raise GatewayConfigError(
            f"AICC_MASTER_KEY is not set; run `aicc init` (it writes {env_file}) or set it in the environment"
        )
    if is_published(key):
        raise GatewayConfigError(
            "AICC_MASTER_KEY is a default that stands in documents; run `aicc init --new-key`, which makes one of your own"
        )
    env["AICC_MASTER_KEY"] = key
    number = port or _port(env, notes)
    address = host or ("0.0.0.0" if policy.policy.lan else "127.0.0.1")  # noqa: S104 - only when the owner wrote `lan: true`
    _check_lan(address, policy.policy.lan, key, notes)
    bound = open_port(address, number)
    env["CONFIG_FILE_PATH"] = str(loaded.path)
    env["AICC_ROUTER_PORT"] = str(number)
    notes += _greeting(address, number, key, demo=demo, key_shown=demo)
    # uvicorn ends one of several workers that does not answer for 5 s; loading LiteLLM takes longer on a busy machine.
    env["TIMEOUT_WORKER_HEALTHCHECK"] = env.get("TIMEOUT_WORKER_HEALTHCHECK") or "60"
    if doubt := untried(version("litellm")):
        notes.append(f"note: {doubt}; `aicc doctor` tells whether it fits")
    program = (sys.executable, "-m", "aicc_hooks.ops.launch", _litellm())
    argv = (*program, "--config", str(loaded.path), "--host", address, "--port", str(number), *extra)
    if _OTHER_SERVERS & set(extra):
        bound.close()
        return ServePlan(argv, env, tuple(notes))
    return ServePlan(argv, env, tuple(notes), bound)


def run(plan: ServePlan) -> int:
    """Run LiteLLM until it ends on purpose, and again when it dies; returns the exit code to end with."""
    sys.stdout.flush()
    sys.stderr.flush()
    if plan.port is not None:
        plan.port.listen(BACKLOG)
    return Supervisor(plan.argv, home_dir(plan.env) / "logs", env=plan.env, port=plan.port).run()


def _litellm() -> str:
    beside = Path(sys.executable).with_name("litellm")
    found = str(beside) if beside.exists() else shutil.which("litellm")
    if not found:
        raise GatewayConfigError(
            "the `litellm` command is not installed beside this Python; run: pip install aicc-hooks"
        )
    return found


def _port(env: dict[str, str], notes: list[str]) -> int:
    if env.get("AICC_LITELLM_PORT"):
        notes.append("note: AICC_LITELLM_PORT is an old name; LiteLLM now listens on AICC_ROUTER_PORT alone")
    text = env.get("AICC_ROUTER_PORT") or env.get("AICC_LITELLM_PORT") or "4000"
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise GatewayConfigError(f"AICC_ROUTER_PORT: found {text[:20]!r}; allowed: a number from 1 to 65535")
    return int(text)


def _check_extra(extra: tuple[str, ...]) -> None:
    """Options after `--` are LiteLLM's; the ones checked here must not come back that way."""
    for word in extra:
        if word.partition("=")[0] in ("--host", "--port", "--config", "-c"):
            raise GatewayConfigError(
                f"{word.partition('=')[0]}: give it before any `--`, so that it is checked"
            )


def _check_lan(address: str, lan: bool, key: str, notes: list[str]) -> None:
    if address in ("127.0.0.1", "::1", "localhost"):
        return
    if not lan:
        raise GatewayConfigError(
            f"--host {address} opens the gateway to other machines; set `lan: true` in policy.yaml to allow that"
        )
    if not fit_for_lan(key):
        raise GatewayConfigError(
            f"`lan: true` needs an AICC_MASTER_KEY of at least {LAN_KEY} random characters; run: aicc init --new-key"
        )
    notes.append(
        f"warning: lan is on: every machine that reaches {address} and has the key can use your models and read the status page"
    )


def _greeting(address: str, port: int, key: str, *, demo: bool, key_shown: bool) -> list[str]:
    shown = "127.0.0.1" if address == "0.0.0.0" else address  # noqa: S104
    url = f"http://{shown}:{port}"
    lines = [f"AI Command Center on {url}" + ("  (demo: stand-in models)" if demo else "")]
    if key_shown:
        lines.append(f"key: {key}")
    auth = key if key_shown else "$AICC_MASTER_KEY"
    lines.append(
        f'try: curl -s {url}/v1/chat/completions -H "Authorization: Bearer {auth}" -H "Content-Type: application/json" '
        '-d \'{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}\''
    )
    return lines
