"""LaunchAgents: rendered from templates with absolute paths, loaded with launchctl."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aicc_hooks.errors import OpsError
from aicc_hooks.ops import shipped
from aicc_hooks.ops.files import private_dir, write_atomic

GATEWAY: Final = "com.aicommandcenter.litellm"
MAINTENANCE: Final = "com.aicommandcenter.maintenance"
LABELS: Final = (GATEWAY, MAINTENANCE)

Run = Callable[[Sequence[str]], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute paths that the templates name."""

    aicc: Path
    home: Path  # AICC_HOME
    user_home: Path

    def values(self) -> dict[str, str]:
        """Template name to text. Raises OpsError for a path that is not absolute."""
        for path in (self.aicc, self.home, self.user_home):
            if not path.is_absolute():
                raise OpsError(f"{path}: launchd needs absolute paths")
        return {
            "AICC": str(self.aicc),
            "AICC_HOME": str(self.home),
            "HOME": str(self.user_home),
            "PATH": self.search_path(),
        }

    def search_path(self) -> str:
        """launchd starts with /usr/bin:/bin only; Homebrew, mise and Docker's command live elsewhere."""
        home = self.user_home
        places = [
            self.aicc.parent, home / ".local/share/mise/shims", home / ".local/bin", "/opt/homebrew/bin",
            "/opt/homebrew/sbin", "/usr/local/bin", home / ".docker/bin", home / ".orbstack/bin",
            "/Applications/Docker.app/Contents/Resources/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin",
        ]  # fmt: skip
        # A folder with a colon in its name cannot stand in PATH.
        return ":".join(dict.fromkeys(str(p) for p in places if ":" not in str(p)))


def render(label: str, places: Places) -> dict[str, Any]:
    """The job as launchd takes it. Raises OpsError."""
    template = shipped.folder("launchd") / f"{label}.plist"
    try:
        tree = plistlib.loads(template.read_bytes())
    except (OSError, plistlib.InvalidFileException, ValueError) as error:
        raise OpsError(
            f"{template}: cannot be read ({type(error).__name__}); reinstall the package"
        ) from None
    filled: dict[str, Any] = _fill(tree, places.values())
    return filled


def _fill(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    if isinstance(node, str):
        for name, text in values.items():
            node = node.replace(f"@{name}@", text)
    return node


def dump(job: Mapping[str, Any]) -> bytes:
    """XML as `plutil -lint` accepts it; plistlib escapes what names may hold."""
    return plistlib.dumps(dict(job), sort_keys=False)


def agent_path(label: str, user_home: Path) -> Path:
    """Where the plist of a LaunchAgent belongs."""
    return user_home / "Library" / "LaunchAgents" / f"{label}.plist"


def install(places: Places, uid: int, run: Run) -> list[str]:
    """Write both plists and load them; a loaded one is replaced. Returns lines for the person. Raises OpsError."""
    if not places.home.joinpath(".env").exists():
        raise OpsError(f"{places.home} holds no .env; run `aicc init` first")
    private_dir(places.home / "logs")  # launchd does not make the folder of a log, and fails without a word
    lines = []
    for label in LABELS:
        path = agent_path(label, places.user_home)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, dump(render(label, places)), 0o644)
        run(["launchctl", "bootout", f"gui/{uid}/{label}"])  # fails when it is not loaded, which is fine
        run(["launchctl", "enable", f"gui/{uid}/{label}"])
        code, said = _bootstrap(uid, path, run)
        if code != 0:
            raise OpsError(
                f"launchctl did not load {path} ({said.strip()[:200] or code}); look with: plutil -lint '{path}'"
            )
        lines.append(f"loaded {label} from {path}")
    return lines


def _bootstrap(uid: int, path: Path, run: Run) -> tuple[int, str]:
    """bootout returns before the old job is gone; bootstrap then says 5 (I/O error) for a moment."""
    import time

    for wait in (0.2, 0.5, 1.0, 2.0, 0.0):
        code, said = run(["launchctl", "bootstrap", f"gui/{uid}", str(path)])
        if code not in (5, 37):
            break
        time.sleep(wait)
    return code, said


def uninstall(places: Places, uid: int, run: Run) -> list[str]:
    """Unload both and remove their plists; the gateway's folder stays."""
    lines = []
    for label in LABELS:
        run(["launchctl", "bootout", f"gui/{uid}/{label}"])
        path = agent_path(label, places.user_home)
        if path.exists():
            path.unlink()
            lines.append(f"removed {path}")
    return lines or ["nothing was installed"]


def restart(uid: int, run: Run) -> list[str]:
    """Stop the gateway (its requests may end) and start it again."""
    code, said = run(["launchctl", "kickstart", "-k", f"gui/{uid}/{GATEWAY}"])
    if code != 0:
        raise OpsError(f"launchctl: {said.strip()[:200] or code}; load it with: aicc launchd install")
    return [f"restarted {GATEWAY}"]


def plan(places: Places, uid: int) -> list[str]:
    """What `install` does, for a machine without launchd."""
    lines = [f"make the folder {places.home / 'logs'} (0700)"]
    for label in LABELS:
        path = agent_path(label, places.user_home)
        lines += [
            f"write {path} (see: aicc launchd print)",
            f"run: launchctl bootout gui/{uid}/{label}",
            f"run: launchctl enable gui/{uid}/{label}",
            f"run: launchctl bootstrap gui/{uid} '{path}'",
        ]
    return lines


@dataclass(frozen=True, slots=True)
class JobState:
    """One LaunchAgent as found. `current`: its plist is what `install` would write now."""

    label: str
    installed: bool
    current: bool
    loaded: bool
    pid: int | None = None
    last_exit: str = ""


def status(places: Places, uid: int, run: Run) -> list[JobState]:
    """State of both jobs."""
    out = []
    for label in LABELS:
        path = agent_path(label, places.user_home)
        installed = path.exists()
        current = installed and _same(path, render(label, places))
        code, said = run(["launchctl", "print", f"gui/{uid}/{label}"])
        pid = _field(said, "pid") if code == 0 else ""
        out.append(
            JobState(
                label, installed, current, code == 0, int(pid) if pid.isdigit() else None,
                _field(said, "last exit code") if code == 0 else "",
            )
        )  # fmt: skip
    return out


def _same(path: Path, job: Mapping[str, Any]) -> bool:
    try:
        return bool(plistlib.loads(path.read_bytes()) == job)
    except (OSError, plistlib.InvalidFileException, ValueError):
        return False


def _field(text: str, name: str) -> str:
    for line in text.splitlines():
        key, _, value = line.strip().partition(" = ")
        if key == name:
            return value.strip()
    return ""


def launchctl(command: Sequence[str]) -> tuple[int, str]:
    """Run it; (exit code, output)."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, type(error).__name__
    return done.returncode, done.stdout + done.stderr
