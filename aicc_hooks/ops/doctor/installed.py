"""Checks of what is installed: Python, packages, LiteLLM's seams, files of the right version."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from aicc_hooks import __version__
from aicc_hooks.litellm_releases import MALWARE, untried
from aicc_hooks.ops.doctor.model import Context, Finding
from aicc_hooks.ops.restore import interrupted

_FIX = "pip install --no-deps -r requirements.lock (the tested versions), then start the gateway again"


def python(context: Context) -> Iterator[Finding]:
    """3.11 to 3.13; the early 3.11 releases died of SIGSEGV under load."""
    found = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Finding("python", "fail", found, "brew install python@3.12, then install aicc-hooks with it")
    elif sys.version_info[:3] < (3, 11, 8):
        yield Finding(
            "python",
            "warn",
            f"{found}: crashes under load were seen before 3.11.8",
            "brew install python@3.12",
        )
    else:
        yield Finding("python", "ok", found)
    if sys.platform == "darwin" and platform.machine() == "x86_64" and "ARM64" in platform.version():
        yield Finding(
            "python.rosetta", "warn", "Intel Python on Apple silicon: slow", "brew install python@3.12"
        )


def packages(context: Context) -> Iterator[Finding]:
    """Every dependency in its range; known malware by name."""
    bad = False
    for text in requires("aicc-hooks") or ():
        need = Requirement(text)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(need.name)
        except PackageNotFoundError:
            bad = True
            yield Finding(
                f"package.{need.name}", "fail", "not installed", f"pip install '{need.name}{need.specifier}'"
            )
            continue
        if need.name == "litellm" and found in MALWARE:
            bad = True
            yield Finding(
                f"package.{need.name}", "fail", f"{found} is a malicious release that steals keys",
                f"pip install '{need.name}{need.specifier}'; then rotate every key this machine holds: docs/runbook.md",
            )  # fmt: skip
        elif not need.specifier.contains(found, prereleases=True):
            bad = True
            fix = f"pip install '{need.name}{need.specifier}'"
            yield Finding(f"package.{need.name}", "fail", f"{found}; needed: {need.specifier}", fix)
        elif need.name == "litellm" and (doubt := untried(found)):
            yield Finding("package.litellm", "warn", doubt, _FIX)
        elif need.name in ("litellm", "langfuse"):
            yield Finding(f"package.{need.name}", "ok", found)
    if not bad:
        yield Finding("packages", "ok", f"aicc-hooks {__version__} and what it needs")


def seams(context: Context) -> Iterator[Finding]:
    """LiteLLM's internals that privacy rests on, as the running gateway tested them."""
    if context.health is None:
        yield Finding("seams", "off", "tested when the gateway starts; without one: aicc doctor --deep")
        return
    problems = context.health.get("problems") or {}
    wrong = {name: text for name, text in problems.items() if name.startswith(("seam.", "selftest"))}
    for name, text in wrong.items():
        yield Finding(
            name,
            "fail",
            str(text),
            _FIX,
        )
    if not wrong:
        yield Finding("seams", "ok", "LiteLLM's internals are as expected")


def home(context: Context) -> Iterator[Finding]:
    """The folder is there, whole, and of this version."""
    if not context.home.is_dir():
        yield Finding("home", "fail", f"{context.home} does not exist", "aicc init")
        return
    if todo := interrupted(context.home):
        yield Finding(
            "restore",
            "fail",
            "a restore was interrupted; files of two times are mixed",
            todo.rpartition(": ")[2],
        )
    try:
        made_by = str(json.loads((context.home / ".installed.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        made_by = ""
    if made_by == __version__:
        yield Finding("home", "ok", str(context.home))
    elif made_by:
        yield Finding(
            "home", "warn", f"files are of aicc {made_by}, this is {__version__}", "aicc init --upgrade"
        )
    else:
        yield Finding("home", "warn", f"{context.home} was not set up by aicc init", "aicc init")
