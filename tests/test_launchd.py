"""LaunchAgents: structure, types, every path absolute, the right launchctl calls in the right order."""

from __future__ import annotations

import os
import plistlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.errors import OpsError
from aicc_hooks.ops import launchd

# launchd.plist(5): the type of each key we use.
TYPES: dict[str, type] = {
    "Label": str, "ProgramArguments": list, "WorkingDirectory": str, "EnvironmentVariables": dict, "RunAtLoad": bool,
    "KeepAlive": dict, "ThrottleInterval": int, "ExitTimeOut": int, "ProcessType": str, "SoftResourceLimits": dict,
    "HardResourceLimits": dict, "Umask": int, "StandardOutPath": str, "StandardErrorPath": str, "LowPriorityIO": bool,
    "Nice": int, "StartCalendarInterval": dict,
}  # fmt: skip


@pytest.fixture
def places(tmp_path: Path) -> launchd.Places:
    """Paths with spaces, umlauts and characters that XML minds."""
    user = tmp_path / "Jörg & Söhne <x>"
    home = user / ".config" / "ai command center"
    home.mkdir(parents=True)
    (home / ".env").write_text("A=1\n")
    return launchd.Places(user / "venv" / "bin" / "aicc", home, user)


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("label", launchd.LABELS)
def test_keys_have_the_types_launchd_wants(label: str, places: launchd.Places) -> None:
    job = plistlib.loads(launchd.dump(launchd.render(label, places)))
    assert {key: type(value) for key, value in job.items()} == {key: TYPES[key] for key in job}
    assert job["Label"] == label
    assert job["Umask"] == 0o077
    assert all(isinstance(v, str) for v in job["EnvironmentVariables"].values())


@pytest.mark.parametrize("label", launchd.LABELS)
def test_every_path_is_absolute_and_nothing_waits_for_expansion(label: str, places: launchd.Places) -> None:
    job = launchd.render(label, places)
    for text in strings(job):
        assert not re.search(r"[~$@{}]", text), f"{text!r} would reach the program as it is"
    paths = [
        job["ProgramArguments"][0],
        job["WorkingDirectory"],
        job["StandardOutPath"],
        job["StandardErrorPath"],
    ]
    paths += [job["EnvironmentVariables"][n] for n in ("HOME", "AICC_HOME")]
    paths += job["EnvironmentVariables"]["PATH"].split(":")
    assert [p for p in paths if not os.path.isabs(p)] == []
    assert job["ProgramArguments"][0] == str(places.aicc), "no shell in between: it would read profiles"
    assert Path(job["StandardErrorPath"]).parent == places.home / "logs"


def test_path_finds_homebrew_mise_and_docker(places: launchd.Places) -> None:
    entries = places.search_path().split(":")
    assert entries[0] == str(places.aicc.parent)
    for wanted in ("/opt/homebrew/bin", "/usr/local/bin", str(places.user_home / ".local/share/mise/shims")):
        assert wanted in entries
    assert entries.index("/opt/homebrew/bin") < entries.index("/usr/bin")


def test_the_gateway_is_kept_alive_on_failure_only_and_gets_time_to_end(places: launchd.Places) -> None:
    from aicc_hooks.resilience.supervisor import SupervisorConfig

    job = launchd.render(launchd.GATEWAY, places)
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    assert job["RunAtLoad"] is True
    assert job["ThrottleInterval"] >= 10
    assert job["ExitTimeOut"] > SupervisorConfig().drain_s
    assert job["SoftResourceLimits"]["NumberOfFiles"] <= job["HardResourceLimits"]["NumberOfFiles"]
    assert job["ProgramArguments"][1:] == ["serve"]
    assert "AICC_MASTER_KEY" not in job["EnvironmentVariables"], "a plist is readable by others"


def test_maintenance_runs_at_night_in_the_background(places: launchd.Places) -> None:
    job = launchd.render(launchd.MAINTENANCE, places)
    assert set(job["StartCalendarInterval"]) == {"Hour", "Minute"}
    assert job["StartCalendarInterval"]["Hour"] < 6
    assert job["ProcessType"] == "Background"
    assert job["RunAtLoad"] is False
    assert "KeepAlive" not in job
    assert job["ProgramArguments"][1:] == ["maintenance"]


class FakeLaunchctl:
    """Records calls; answers as launchctl does."""

    def __init__(self, *, busy: int = 0, fail: bool = False) -> None:
        self.calls: list[list[str]] = []
        self.loaded: set[str] = set()
        self.busy, self.fail = busy, fail

    def __call__(self, command: Sequence[str]) -> tuple[int, str]:
        self.calls.append(list(command[1:]))
        match command[1]:
            case "bootstrap":
                if self.busy:
                    self.busy -= 1
                    return 5, "Bootstrap failed: 5: Input/output error"
                if self.fail:
                    return 78, "Invalid property list"
                self.loaded.add(Path(command[3]).stem)
            case "bootout":
                label = command[2].rsplit("/", 1)[-1]
                if label not in self.loaded:
                    return 3, "No such process"
                self.loaded.remove(label)
            case "print":
                label = command[2].rsplit("/", 1)[-1]
                if label not in self.loaded:
                    return 113, "Could not find service"
                return 0, "gui/501/x = {\n\tpid = 4711\n\tlast exit code = 0\n}\n"
        return 0, ""


def test_install_status_uninstall(places: launchd.Places) -> None:
    ctl = FakeLaunchctl()
    launchd.install(places, 501, ctl)
    assert [c[0] for c in ctl.calls] == ["bootout", "enable", "bootstrap"] * 2
    assert ctl.calls[2] == [
        "bootstrap",
        "gui/501",
        str(launchd.agent_path(launchd.GATEWAY, places.user_home)),
    ]
    assert (places.home / "logs").stat().st_mode & 0o777 == 0o700
    for label in launchd.LABELS:
        path = launchd.agent_path(label, places.user_home)
        assert path.stat().st_mode & 0o777 == 0o644, "launchd refuses plists that others may write"
        assert plistlib.loads(path.read_bytes()) == launchd.render(label, places)
    gateway = launchd.status(places, 501, ctl)[0]
    assert (gateway.installed, gateway.current, gateway.loaded, gateway.pid) == (True, True, True, 4711)
    launchd.install(places, 501, ctl)
    assert ctl.loaded == set(launchd.LABELS)
    launchd.uninstall(places, 501, ctl)
    assert ctl.loaded == set()
    assert not launchd.status(places, 501, ctl)[0].installed
    assert launchd.uninstall(places, 501, ctl) == ["nothing was installed"]


def test_a_job_that_is_still_ending_is_waited_for(
    places: launchd.Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    ctl = FakeLaunchctl(busy=2)
    launchd.install(places, 501, ctl)
    assert ctl.loaded == set(launchd.LABELS)


def test_a_refusal_of_launchctl_is_an_error_with_a_next_step(places: launchd.Places) -> None:
    with pytest.raises(OpsError, match=r"Invalid property list.*plutil -lint"):
        launchd.install(places, 501, FakeLaunchctl(fail=True))


def test_a_moved_folder_shows_in_status(places: launchd.Places, tmp_path: Path) -> None:
    ctl = FakeLaunchctl()
    launchd.install(places, 501, ctl)
    moved = launchd.Places(places.aicc, tmp_path / "elsewhere", places.user_home)
    assert not launchd.status(moved, 501, ctl)[0].current


def test_without_init_nothing_is_installed(places: launchd.Places) -> None:
    (places.home / ".env").unlink()
    with pytest.raises(OpsError, match="aicc init"):
        launchd.install(places, 501, FakeLaunchctl())


def test_relative_paths_are_refused(places: launchd.Places) -> None:
    with pytest.raises(OpsError, match="absolute"):
        launchd.render(launchd.GATEWAY, launchd.Places(Path("aicc"), places.home, places.user_home))


@pytest.mark.skipif(sys.platform == "darwin", reason="on macOS it would really install")
def test_off_macos_it_says_what_it_would_do(places: launchd.Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICC_HOME", str(places.home))
    monkeypatch.setenv("HOME", str(places.user_home))
    result = CliRunner().invoke(group, ["launchd", "install"])
    assert result.exit_code == 0, result.output
    assert "not macOS" in result.output
    assert "launchctl bootstrap gui/" in result.output
    assert not (places.user_home / "Library").exists()
    for arguments in (["restart"], ["uninstall"], ["status"], ["status", "--json"]):
        assert CliRunner().invoke(group, ["launchd", *arguments]).exit_code == 0


def test_print_gives_a_plist(places: launchd.Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICC_HOME", str(places.home))
    result = CliRunner().invoke(group, ["launchd", "print", launchd.MAINTENANCE])
    assert plistlib.loads(result.output.encode())["Label"] == launchd.MAINTENANCE
    assert str(places.home) in result.output.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
