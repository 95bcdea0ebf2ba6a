"""`aicc launchd`: start at login, keep running, maintain at night."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from aicc_hooks.home import home_dir
from aicc_hooks.ops import launchd, shipped

_HERE = "this is not macOS: launchd is not here, so nothing was done. On a Mac it would:"


def _places() -> launchd.Places:
    return launchd.Places(shipped.program(), home_dir().absolute(), Path.home())


def _on_mac() -> bool:
    return sys.platform == "darwin"


@click.group("launchd")
def command() -> None:
    """Run the gateway and its nightly maintenance as LaunchAgents (macOS)."""


@command.command("install")
def install() -> None:
    """Write and load both LaunchAgents; repeat it after moving the folder or the environment."""
    if _on_mac():
        lines = launchd.install(_places(), os.getuid(), launchd.launchctl)
    else:
        lines = [_HERE, *launchd.plan(_places(), os.getuid())]
    click.echo("\n".join(lines))


@command.command("uninstall")
def uninstall() -> None:
    """Unload and remove both; the gateway's folder stays."""
    if _on_mac():
        lines = launchd.uninstall(_places(), os.getuid(), launchd.launchctl)
    else:
        lines = [_HERE, *(f"run: launchctl bootout gui/{os.getuid()}/{label}" for label in launchd.LABELS)]
    click.echo("\n".join(lines))


@command.command("restart")
def restart() -> None:
    """Start the gateway again, e.g. after a new key."""
    if _on_mac():
        lines = launchd.restart(os.getuid(), launchd.launchctl)
    else:
        lines = [_HERE, f"run: launchctl kickstart -k gui/{os.getuid()}/{launchd.GATEWAY}"]
    click.echo("\n".join(lines))


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Installed, up to date, loaded, running?"""
    states = launchd.status(_places(), os.getuid(), launchd.launchctl)
    if as_json:
        click.echo(json.dumps([asdict(state) for state in states], indent=2))
        return
    for state in states:
        words = ["installed" if state.installed else "not installed"]
        if state.installed and not state.current:
            words.append("its plist names other paths (aicc launchd install)")
        words.append("loaded" if state.loaded else "not loaded")
        if state.pid:
            words.append(f"pid {state.pid}")
        if state.last_exit and state.last_exit != "(never exited)":
            words.append(f"last exit {state.last_exit}")
        click.echo(f"{state.label}: {', '.join(words)}")


@command.command("print")
@click.argument("label", type=click.Choice(launchd.LABELS), default=launchd.GATEWAY)
def show(label: str) -> None:
    """Print the plist as it would be installed."""
    click.echo(launchd.dump(launchd.render(label, _places())).decode(), nl=False)
