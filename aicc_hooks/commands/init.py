"""`aicc init`: set up the user's folder, say what this machine has and what to do next."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from aicc_hooks.errors import ConfigError
from aicc_hooks.gateway_config import load_all
from aicc_hooks.home import home_dir
from aicc_hooks.ops import init as ops
from aicc_hooks.ops.env_values import PLAIN
from aicc_hooks.ops.look import Machine, look, models_shown, next_free_port, port_free
from aicc_hooks.resilience.memory import caches, recommend
from aicc_hooks.resilience.models_present import missing_models
from aicc_hooks.resilience.ollama_models import full_name

_MARKS = {"created": "+", "replaced": "~", "changed": "~", "kept": "=", "unchanged": "="}


@click.command("init")
@click.option("--yes", is_flag=True, help="Ask nothing; files you changed yourself stay as they are.")
@click.option("--upgrade", is_flag=True, help="Bring files of an older version up to date.")
@click.option("--new-key", is_flag=True, help="Generate a new AICC_MASTER_KEY.")
@click.option("--repair", is_flag=True, help="Accept a damaged .env: keep a copy and what can be read.")
@click.option("--overwrite", is_flag=True, help="With --yes: replace files you changed (a copy is kept).")
@click.option("--port", type=click.IntRange(1024, 65535), help="Port of the gateway.")
@click.option("--ollama-url", help="Where Ollama is.")
@click.option("--redis-host", help="Where Redis is.")
@click.option("--redis-port", type=click.IntRange(1, 65535))
@click.option("--langfuse-host", help="Where Langfuse is, e.g. http://localhost:3001.")
def command(
    yes: bool, upgrade: bool, new_key: bool, repair: bool, overwrite: bool, port: int | None, ollama_url: str | None,
    redis_host: str | None, redis_port: int | None, langfuse_host: str | None,
) -> None:  # fmt: skip
    """Create the gateway's folder with its files and generated keys. Safe to repeat."""
    home = home_dir().absolute()
    have = ops.current_values(home)
    given = {
        "AICC_ROUTER_PORT": str(port) if port else "",
        "OLLAMA_BASE_URL": ollama_url or "",
        "REDIS_HOST": redis_host or "",
        "REDIS_PORT": str(redis_port) if redis_port else "",
        "LANGFUSE_HOST": langfuse_host or "",
    }
    given = {name: value for name, value in given.items() if value}
    values = {**{name: have[name] for name in PLAIN if have.get(name)}, **given}
    if not yes:
        values |= _ask(values)
    elif "AICC_ROUTER_PORT" not in values and not port_free(4000):
        values["AICC_ROUTER_PORT"] = str(next_free_port(4010))
        click.echo(f"port 4000 is taken; using {values['AICC_ROUTER_PORT']}")
    steps = ops.initialise(
        ops.Options(home, upgrade=upgrade, new_key=new_key, repair=repair, values=values),
        lambda name, difference: _confirm(
            name, difference, yes=yes, overwrite=overwrite or (yes and upgrade)
        ),
    )
    click.echo(f"{home}")
    for step in steps:
        if step.what != "unchanged" and not (step.name.startswith("compose/") and step.what == "created"):
            click.echo(
                f"  {_MARKS[step.what]} {step.name}: {step.what}{': ' + step.detail if step.detail else ''}"
            )
    settings = ops.current_values(home)
    machine = look(
        settings["OLLAMA_BASE_URL"], settings["REDIS_HOST"], int(settings.get("REDIS_PORT") or 6379)
    )
    for line in _report(home, machine, settings):
        click.echo(line)
    if new_key:
        click.echo("The old key stops working when the gateway is started again: aicc launchd restart")


def _ask(values: dict[str, str]) -> dict[str, str]:
    """The plain settings, with what is there as default. Nothing is written before all are answered."""
    free = values.get("AICC_ROUTER_PORT") or (
        PLAIN["AICC_ROUTER_PORT"] if port_free(4000) else str(next_free_port(4010))
    )
    out = {
        "AICC_ROUTER_PORT": str(
            click.prompt("Port of the gateway", default=int(free), type=click.IntRange(1024, 65535))
        )
    }
    for name, question in (
        ("OLLAMA_BASE_URL", "Ollama's address"),
        ("REDIS_HOST", "Redis host"),
        ("LANGFUSE_HOST", "Langfuse's address"),
    ):
        out[name] = click.prompt(question, default=values.get(name) or PLAIN[name])
    return out


def _confirm(name: str, difference: str, *, yes: bool, overwrite: bool) -> bool:
    if yes:
        if overwrite:
            click.echo(difference)
        return overwrite
    click.echo(difference)
    return click.confirm(f"Replace {name}? (a copy is kept)", default=False)


def _report(home: Path, machine: Machine, settings: dict[str, str]) -> list[str]:
    out = ["", "This machine:"]
    gib = machine.ram / 1024**3
    if machine.models is None:
        out.append(
            f"  Ollama: no answer at {machine.ollama_url}; start it (ollama serve, or the app), then: aicc doctor"
        )
    else:
        out.append(f"  Ollama: {len(machine.models)} model(s)")
        out += [f"    {line}" for line in _models(home, machine, settings)]
    out.append(
        f"  Redis: {machine.redis}"
        + ("" if machine.redis == "up" else "; optional cache: brew services start redis")
    )
    out.append(f"  Docker: {machine.docker}" + ("" if machine.docker == "up" else "; only Langfuse needs it"))
    out.append(f"  Memory: {gib:.0f} GiB")
    where = f"AICC_HOME={shlex.quote(str(home))} " if os.environ.get("AICC_HOME") else ""
    serve = [f"  {where}aicc serve", f"  {where}aicc doctor"]
    if sys.platform == "darwin":
        serve.append(f"  {where}aicc launchd install     # starts at login from now on")
    if machine.docker == "up":
        serve.append(f"  {where}aicc langfuse up         # {settings.get('LANGFUSE_HOST', '')}")
    return [*out, "", "Next:", *serve]


def _models(home: Path, machine: Machine, settings: dict[str, str]) -> list[str]:
    """Missing models with the command that fetches them, and how much Ollama may load at once."""
    assert machine.models is not None
    try:
        config, policy = load_all(home / "config.yaml", {**settings, "AICC_HOME": str(home)})
    except ConfigError as error:
        return [f"config: {error}"]
    wanted = {
        full_name(str(entry["litellm_params"]["model"]))
        for entry in config.model_list
        if str(entry["litellm_params"]["model"]).startswith(("ollama/", "ollama_chat/"))
    }
    out = [f"missing: {m.sentence}" for m in missing_models(sorted(wanted), machine.models)]
    sizes = {name: size for name, size in machine.models.items() if full_name(name) in wanted}
    known = caches(models_shown(machine.ollama_url, sizes), policy.policy.resilience.context)
    advice = recommend(machine.ram, sizes, known)
    return [*out, advice.sentence, *(advice.commands if sizes else ())]
