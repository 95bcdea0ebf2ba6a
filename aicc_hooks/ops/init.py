"""`aicc init`: folders, files and secrets of one installation. Safe to repeat, and to interrupt at any point."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from aicc_hooks import __version__
from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.ops import env_values, shipped
from aicc_hooks.ops.env_file import open_to_others, read_env_file, salvage, with_values
from aicc_hooks.ops.files import explain, keep_copy, locked, private_dir, remove_leftovers, write_atomic
from aicc_hooks.ops.migrate import MIGRATIONS, MOVED

# The folders of the two-process layout, kept; `aicc` itself writes to logs and backups only.
FOLDERS: Final = (
    "logs", "backups", "routing", "caching", "security", "monitoring", "resilience", "integrations", "experimentation",
    "operations",
)  # fmt: skip
STATE: Final = ".installed.json"
_HEADER = (
    "# AI Command Center. Read as data, never executed; keep it to yourself (chmod 600).\n"
    "# The LANGFUSE_* passwords belong to the compose stack; changing one later needs a change inside it too.\n"
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for. `values`: plain .env values given by flags or answers."""

    home: Path
    upgrade: bool = False
    new_key: bool = False
    repair: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done or left alone."""

    name: str
    what: Literal["created", "unchanged", "changed", "kept", "replaced"]
    detail: str = ""


Confirm = Callable[[str, str], bool]  # (file name, diff) -> overwrite it?


def initialise(options: Options, confirm: Confirm) -> list[Step]:
    """Bring the folder up to date. Raises OpsError or GatewayConfigError with what to do; nothing is lost then."""
    home = options.home
    private_dir(home)
    with locked(home / ".init.lock", "init"):
        remove_leftovers(home)
        for name in FOLDERS:
            private_dir(home / name)
            remove_leftovers(home / name)
        steps = [_environment(options)]
        state = read_state(home)
        known = dict(state)
        for name, data in shipped.installable().items():
            step = _file(options, name, data, state.get(name, ""), confirm)
            steps.append(step)
            if step.what in ("created", "replaced", "unchanged"):
                known[name] = shipped.digest(data)
        record = {"version": __version__, "files": known}
        write_atomic(home / STATE, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return steps


def read_state(home: Path) -> dict[str, str]:
    """Digest of each shipped file as it was installed; {} before the first init."""
    try:
        files = json.loads((home / STATE).read_text(encoding="utf-8"))["files"]
        return {str(name): str(value) for name, value in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def current_values(home: Path) -> dict[str, str]:
    """Values of .env, also of one that is damaged; for defaults of questions."""
    try:
        return read_env_file(home / ".env")
    except GatewayConfigError:
        try:
            return salvage((home / ".env").read_text(encoding="utf-8", errors="replace"))[0]
        except OSError:
            return {}


def _environment(options: Options) -> Step:
    path = options.home / ".env"
    exists = path.exists()
    text = ""
    notes: list[str] = []
    if exists:
        text, notes = _existing(path, options)
    values = read_or_salvage(text, path)
    changes = env_values.missing(values, options.values)
    changes |= {name: value for name, value in options.values.items() if values.get(name) != value}
    if options.new_key:
        changes["AICC_MASTER_KEY"] = env_values.master_key()
    result = with_values(text or _HEADER, changes) if changes else text
    if exists and result == path.read_text(encoding="utf-8-sig", errors="replace"):
        if open_to_others(path):
            _chmod(path)
            return Step(".env", "changed", "permissions set to 600")
        return Step(".env", "unchanged")
    kept = f"; the old one is {_kept(path, options.home)}" if exists else ""
    write_atomic(path, result)
    added = sorted(
        name for name in changes if name not in values or env_values.is_placeholder(name, values[name])
    )
    other = sorted(name for name in changes if name not in added)
    detail = [*notes]
    if added and exists:
        detail.append("added " + ", ".join(added))
    if other:
        detail.append("changed " + ", ".join(other))
    return Step(
        ".env", "changed" if exists else "created", "; ".join(detail) + kept if exists else "keys generated"
    )


def _existing(path: Path, options: Options) -> tuple[str, list[str]]:
    """Text of .env after migration; a damaged one only with `repair`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        if not options.repair:
            raise GatewayConfigError(f"{path}: not text; run: aicc init --repair (it keeps a copy)") from None
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise explain(error, path) from None
    notes: list[str] = []
    if options.upgrade:
        text, notes = MIGRATIONS[".env"](text)
    _, broken = salvage(text)
    if broken and not options.repair:
        raise GatewayConfigError(
            f"{path}: line {broken[0]} cannot be read; the file looks half-written. Correct it, or run: aicc init --repair"
            " (it keeps a copy, the readable lines, and generates what is missing)"
        )
    if broken:
        lines = text.split("\n")
        text = "\n".join(line for number, line in enumerate(lines, 1) if number not in broken)
        notes.append(f"{len(broken)} unreadable line(s) removed")
    return text, notes


def read_or_salvage(text: str, path: Path) -> dict[str, str]:
    """Values of a text whose damaged lines were already dealt with."""
    values, broken = salvage(text)
    if broken:
        raise GatewayConfigError(f"{path}: line {broken[0]} cannot be read")
    return values


def _file(options: Options, name: str, data: bytes, installed: str, confirm: Confirm) -> Step:
    path = options.home / name
    if name.startswith("compose/"):
        for folder in reversed(Path(name).parents[:-1]):
            _open_dir(options.home / folder)
    mode = 0o700 if name.endswith(".sh") else 0o600
    if name.startswith("compose/"):
        mode = 0o644  # read by users inside the containers; holds no secrets
    if not path.exists():
        return _first_copy(options, name, data, mode)
    own = _read(path)
    if own == data:
        return Step(name, "unchanged")
    if shipped.digest(own) == installed:  # as an earlier version left it
        if not options.upgrade:
            return Step(name, "kept", "a newer version is there; aicc init --upgrade takes it")
        kept = _kept(path, options.home)
        write_atomic(path, data, mode)
        return Step(name, "replaced", f"the old one is {kept}")
    done: list[str] = []
    target = data
    if options.upgrade and name in MIGRATIONS:
        # Migrations edit text as text; a file that is no UTF-8 is left to the person.
        try:
            migrated, done = MIGRATIONS[name](own.decode("utf-8"))
        except UnicodeDecodeError:
            return Step(name, "kept", "not UTF-8 text; left alone")
        if not done:
            return Step(name, "kept", "your own version; nothing in it needs a change")
        target = migrated.encode()
    difference = diff(name, own, target)
    if not confirm(name, difference):
        return Step(name, "kept", "your own version")
    kept = _kept(path, options.home)
    write_atomic(path, target, mode)
    if done:
        return Step(name, "changed", "; ".join(done) + f"; the old one is {kept}")
    return Step(name, "replaced", f"the old one is {kept}")


def _first_copy(options: Options, name: str, data: bytes, mode: int) -> Step:
    """A file that is not there yet; one at its old place goes before the shipped one."""
    for old, new in MOVED.items():
        source = options.home / old
        if new == name and options.upgrade and source.is_file():
            text, done = _migrated(name, source.read_text(encoding="utf-8"))
            write_atomic(options.home / name, text, mode)
            return Step(name, "created", "; ".join([f"taken from {old}", *done]))
    write_atomic(options.home / name, data, mode)
    return Step(name, "created")


def _migrated(name: str, text: str) -> tuple[str, list[str]]:
    return MIGRATIONS[name](text) if name in MIGRATIONS else (text, [])


def diff(name: str, old: bytes, new: bytes) -> str:
    """Unified diff for people; values of secrets never stand in these files."""
    lines = difflib.unified_diff(
        old.decode("utf-8", "replace").splitlines(),
        new.decode("utf-8", "replace").splitlines(),
        f"{name} (yours)", f"{name} (new)", lineterm="",
    )  # fmt: skip
    return "\n".join(lines)


def _open_dir(path: Path) -> None:
    """Folders that are mounted into containers: users there must enter them. The home above stays closed."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if path.stat().st_mode & 0o055 != 0o055:
            path.chmod(0o755)
    except OSError as error:
        raise explain(error, path) from None


def _kept(path: Path, home: Path) -> Path:
    return keep_copy(path, home / "backups" / "replaced").relative_to(home)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise explain(error, path) from None


def _chmod(path: Path) -> None:
    try:
        path.chmod(0o600)
    except OSError as error:
        raise explain(error, path) from None
