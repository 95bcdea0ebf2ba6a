"""Backup of a live gateway, restore after losing everything, and every way an archive can be wrong."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aicc_hooks.cli import group
from aicc_hooks.errors import OpsError
from aicc_hooks.ops import archive, backup, maintenance
from aicc_hooks.ops import restore as restoring
from aicc_hooks.ops.files import locked
from aicc_hooks.record import Record, RecordConfig, Spool, SpoolReader, schema
from tests.harness import GatewayProcess, RedisProcess, free_port, wait_until
from tests.ollama_stub import OllamaStub

AICC = str(Path(sys.executable).with_name("aicc"))


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "Jürgens Büro" / "ai command center"
    monkeypatch.setenv("AICC_HOME", str(path))
    monkeypatch.delenv("AICC_ROUTER_PORT", raising=False)
    port = str(free_port())
    done = invoke("init", "--yes", "--ollama-url", "http://127.0.0.1:1", "--redis-port", "1", "--port", port)
    assert done.exit_code == 0, done.output
    return path


def record(number: int) -> Record:
    return Record(
        id=f"r{number:05d}", start=time.time(), end=time.time(), endpoint="chat", requested="auto", route="llama-fast",
        reason="complexity:simple", status=200, input=[{"role": "user", "content": f"q{number}"}],
    )  # fmt: skip


def content(home: Path) -> dict[str, bytes]:
    skip = ("backups", ".gateway.lock", ".init.lock", ".restore.lock")
    return {
        p.relative_to(home).as_posix(): p.read_bytes()
        for p in home.rglob("*")
        if p.is_file() and p.relative_to(home).parts[0] not in skip and "usage.db" not in p.name
    }


# -- the whole way ---------------------------------------------------------------------------------------------


@pytest.mark.live
def test_a_live_gateway_under_load_is_lost_and_restored_without_losing_what_was_acknowledged(
    home: Path, tmp_path: Path, ollama: OllamaStub
) -> None:
    with GatewayProcess(
        home=home, config=home / "config.yaml", ollama_url=ollama.url, files={}, env={"AICC_MASTER_KEY": "sk-load-0123456789abcdefghijkl"},
        key="sk-load-0123456789abcdefghijkl",
    ) as gateway:  # fmt: skip
        answered: list[tuple[float, str]] = []
        stop = threading.Event()

        def load() -> None:
            with gateway.httpx(headers={"authorization": f"Bearer {gateway.key}"}) as client:
                while not stop.is_set():
                    body = {
                        "model": "llama-fast",
                        "messages": [{"role": "user", "content": f"Say hello {time.time_ns()}"}],
                    }
                    response = client.post("/v1/chat/completions", json=body)
                    if response.status_code == 200:
                        answered.append((time.time(), response.headers["x-aicc-request-id"]))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len([t for t, _ in answered if t < time.time() - 0.25]) >= 40, timeout=60)
        began = time.time()
        done = subprocess.run(
            [AICC, "backup", "--json"],
            env={**os.environ, "AICC_HOME": str(home)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        during = len([t for t, _ in answered if t > began])
        stop.set()
        for thread in threads:
            thread.join()
    assert during > 0, "the gateway went on answering"
    # A record is acknowledged, by contract, 250 ms after the end of its response.
    acknowledged = {rid for t, rid in answered if t < began - 0.25}
    assert len(acknowledged) >= 10
    saved = json.loads(done.stdout)
    before = content(home)
    safe = tmp_path / "elsewhere.tar.gz"
    shutil.copy(saved["path"], safe)
    shutil.rmtree(home)

    result = invoke("restore", str(safe))
    assert result.exit_code == 0, (result.output, result.exception)
    with SpoolReader(home / "usage.db") as reader:
        held = {row[0] for row in reader.query("SELECT id FROM records")}
        assert acknowledged - held == set()
        assert all(reader.get(rid) is not None for rid in list(acknowledged)[:5]), "with their texts"
    assert content(home) == {n: d for n, d in before.items() if not n.startswith(("logs/", "workers/"))}
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    with GatewayProcess(
        home=home, config=home / "config.yaml", ollama_url=ollama.url, key="sk-load-0123456789abcdefghijkl"
    ) as again:
        answer = again.client().chat.completions.create(
            model="llama-fast", messages=[{"role": "user", "content": "hi"}]
        )
        assert answer.choices


def test_writes_during_a_backup_never_make_it_start_anew(home: Path) -> None:
    spool = Spool(home / "usage.db", RecordConfig(commit_interval_ms=1)).start()
    for number in range(2000):
        spool.put(record(number))
    assert spool.flush(30)
    stop = threading.Event()

    def write() -> None:
        number = 10_000
        while not stop.is_set():
            spool.put(record(number))
            number += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = backup.create(home)
    finally:
        stop.set()
        thread.join()
        spool.close()
    folder = home.parent / "out"
    archive.unpack(made.path, folder, lambda n: None)
    with SpoolReader(folder / "home" / "usage.db") as reader:
        assert {f"r{n:05d}" for n in range(2000)} <= {
            row[0] for row in reader.query("SELECT id FROM records")
        }
    assert made.manifest.schema == len(schema.MIGRATIONS)
    assert not list((folder / "home").glob("usage.db-*")), "one file, complete in itself"


# -- what is in it ------------------------------------------------------------------------------------------------


def test_the_archive_is_private_complete_and_lists_versions(home: Path) -> None:
    (home / "integrations" / "mein plan.md").write_text("ä")
    (home / "logs" / "gateway.jsonl").write_text("{}\n")
    made = backup.create(home)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    names = {e.name for e in made.manifest.files}
    assert {
        "home/.env",
        "home/config.yaml",
        "home/policy.yaml",
        "home/integrations/mein plan.md",
        "home/compose/docker-compose.yml",
    } <= names
    assert not any("/backups/" in n or "/logs/" in n or n.endswith(".lock") for n in names)
    assert made.manifest.versions["litellm"]
    assert not list((home / "backups").glob(".*staging*"))
    assert "home/logs/gateway.jsonl" in {e.name for e in backup.create(home, logs=True).manifest.files}


def test_the_command_says_where_and_lists_what_there_is(home: Path) -> None:
    made = invoke("backup", "--no-langfuse")
    assert made.exit_code == 0, made.exception
    assert "read back and checked" in made.output
    listed = json.loads(invoke("backup", "--list", "--json").output)
    assert len(listed) == 1
    assert listed[0]["path"] in made.output
    out = home.parent / "mine.tar.gz"
    assert invoke("backup", "--output", str(out)).exit_code == 0
    assert "exists already" in str(invoke("backup", "--output", str(out)).exception)


def test_redis_comes_along_when_asked(home: Path, redis_server: RedisProcess) -> None:
    tool = shutil.which("redis-cli")
    assert tool is not None
    subprocess.run(  # it waits 5 s for more replicas by default
        [tool, "-p", str(redis_server.port), "config", "set", "repl-diskless-sync-delay", "0"], check=True
    )
    made = backup.create(home, redis=("127.0.0.1", redis_server.port))
    assert "redis/dump.rdb" in {e.name for e in made.manifest.files}
    with pytest.raises(OpsError, match="does it answer"):
        backup.create(home, redis=("127.0.0.1", free_port()))


def test_a_file_that_links_elsewhere_is_saved_by_its_content(home: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.yaml"
    shutil.move(home / "policy.yaml", dotfiles)
    (home / "policy.yaml").symlink_to(dotfiles)
    made = backup.create(home)
    folder = tmp_path / "out"
    archive.unpack(made.path, folder, lambda n: None)
    assert (folder / "home" / "policy.yaml").read_bytes() == dotfiles.read_bytes()


def test_rotation_keeps_seven_days_and_four_weeks(tmp_path: Path) -> None:
    for day in range(1, 29):
        for hour in (3, 15):
            (tmp_path / f"aicc-202602{day:02d}-{hour:02d}3000.tar.gz").touch()
    (tmp_path / "aicc-before-upgrade.tar.gz").touch()
    (tmp_path / "notes.txt").touch()
    backup.rotate(tmp_path)
    left = sorted(p.name for p in tmp_path.iterdir())
    days = [n[5:13] for n in left if n.startswith("aicc-2026")]
    # Weeks of February 2026 end on Sunday 1, 8, 15, 22; 28 is a Saturday.
    assert days == [
        "20260208",
        "20260215",
        "20260222",
        "20260223",
        "20260224",
        "20260225",
        "20260226",
        "20260227",
        "20260228",
    ]
    assert all("-153000" in n for n in left if n.startswith("aicc-2026")), "the newest of a day"
    assert {"aicc-before-upgrade.tar.gz", "notes.txt"} <= set(left)


def test_a_failed_backup_removes_no_old_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "backups"
    for day in range(1, 29):
        (folder / f"aicc-202602{day:02d}-030000.tar.gz").touch()
    monkeypatch.setattr(archive, "unpack", lambda *a: (_ for _ in ()).throw(OpsError("damaged")))
    with pytest.raises(OpsError):
        backup.create(home)
    assert len([p for p in folder.iterdir() if backup.NAME.match(p.name)]) >= 28


def test_two_backups_at_once_do_not_mix(home: Path) -> None:
    with locked(home / "backups" / ".lock", "backup"), pytest.raises(OpsError, match="another"):
        backup.create(home)


@pytest.mark.skipif(
    sys.platform == "darwin", reason="the limit stands in for a full disk; Linux has it for sure"
)
def test_a_full_disk_during_a_backup_is_named_and_leaves_no_half(home: Path) -> None:
    with (home / "integrations" / "big.bin").open("wb") as file:
        file.write(os.urandom(3_000_000))
    done = subprocess.run(
        ["bash", "-c", 'trap "" XFSZ; ulimit -f 2000; exec "$0" backup', AICC],
        env={**os.environ, "AICC_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in (home / "backups").iterdir() if p.name != ".lock"] == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)


def test_a_damaged_database_is_named_not_saved(home: Path) -> None:
    spool = Spool(home / "usage.db", RecordConfig()).start()
    for number in range(300):
        spool.put(record(number))
    spool.close()
    with (home / "usage.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\x00" * 40_000)
    with pytest.raises(OpsError, match=r"usage\.db"):
        backup.create(home)
    assert backup.newest(home / "backups") is None


# -- restore ----------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(home: Path, tmp_path: Path) -> Path:
    target = tmp_path / "saved.tar.gz"
    spool = Spool(home / "usage.db", RecordConfig()).start()
    spool.put(record(1))
    spool.close()
    backup.create(home, output=target)
    return target


def test_a_dry_run_shows_and_changes_nothing(home: Path, saved: Path) -> None:
    (home / "policy.yaml").write_text("privacy: {}\n")
    (home / "config.yaml").unlink()
    before = content(home)
    shown = json.loads(invoke("restore", str(saved), "--dry-run", "--json").output)
    assert shown["changes"]["policy.yaml"] == "replaced"
    assert shown["changes"]["config.yaml"] == "new"
    assert shown["changes"][".env"] == "same"
    assert content(home) == before


def test_what_is_replaced_is_kept_and_what_is_not_in_the_backup_stays(home: Path, saved: Path) -> None:
    (home / "policy.yaml").write_text("# changed since\n")
    (home / "new.md").write_text("mine")
    spool = Spool(home / "usage.db", RecordConfig()).start()
    spool.put(record(2))
    spool.flush()
    spool.close()
    result = restoring.restore(saved, home)
    assert result.kept is not None
    assert (result.kept / "policy.yaml").read_text() == "# changed since\n"
    assert (home / "new.md").read_text() == "mine"
    with SpoolReader(home / "usage.db") as now, SpoolReader(result.kept / "usage.db") as then:
        assert [row[0] for row in now.query("SELECT id FROM records")] == ["r00001"]
        assert {row[0] for row in then.query("SELECT id FROM records")} == {"r00001", "r00002"}
    assert not (home / restoring.MARKER).exists()


def test_the_wal_of_a_lost_database_is_not_replayed_into_the_restored_one(home: Path, saved: Path) -> None:
    spool = Spool(home / "usage.db", RecordConfig()).start()
    spool.put(record(3))
    assert spool.flush()
    assert (home / "usage.db-wal").stat().st_size > 0
    spool._abandon.set()  # as after kill -9: nobody folds the -wal in
    (home / "usage.db").unlink()
    restoring.restore(saved, home)
    with SpoolReader(home / "usage.db") as reader:
        assert [row[0] for row in reader.query("SELECT id FROM records")] == ["r00001"]


@pytest.mark.skipif(
    sys.platform == "darwin", reason="the limit stands in for a full disk; Linux has it for sure"
)
def test_a_full_disk_during_a_restore_changes_nothing(home: Path, saved: Path) -> None:
    (home / "policy.yaml").write_text("# own\n")
    before = content(home)
    done = subprocess.run(
        ["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$0" restore "$1"', AICC, str(saved)],
        env={**os.environ, "AICC_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no space left" in done.stderr
    assert content(home) == before
    assert not list(home.glob(".restoring-*"))


@pytest.mark.parametrize("moves", range(0, 5))
def test_an_interrupted_restore_can_be_run_again_and_has_lost_nothing(
    home: Path, saved: Path, moves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(home / "usage.db", RecordConfig()).start()
    spool.put(record(2))
    spool.close()
    for name in ("policy.yaml", "config.yaml", ".env"):
        (home / name).write_text(f"# own {name}\nA=1\n")
    real, left = restoring._place, [moves]

    def dies(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(restoring, "_place", dies)
    if moves < 4:  # usage.db and the three changed files
        with pytest.raises(KeyboardInterrupt):
            restoring.restore(saved, home)
        assert "run it again: aicc restore" in restoring.interrupted(home)
    if moves == 2:
        env = {**os.environ, "AICC_HOME": str(home)}
        serve = subprocess.run([AICC, "serve"], env=env, capture_output=True, text=True, timeout=60)
        assert serve.returncode == 2
        assert "interrupted" in serve.stderr, "half of it is old: nothing is served from that"
    monkeypatch.setattr(restoring, "_place", real)
    result = restoring.restore(saved, home)
    assert restoring.interrupted(home) == ""
    assert result.kept is not None
    for name in ("policy.yaml", "config.yaml", ".env"):
        assert "# own" not in (home / name).read_text()
        assert (result.kept / name).read_text() == f"# own {name}\nA=1\n", (
            "the original, not a half-restored one"
        )
    with SpoolReader(result.kept / "usage.db") as then:
        assert {row[0] for row in then.query("SELECT id FROM records")} == {"r00001", "r00002"}


def test_a_running_gateway_is_not_pulled_from_under(home: Path, saved: Path) -> None:
    code = "import sys,time; from pathlib import Path; from aicc_hooks.ops.single import claim; claim(Path(sys.argv[1]), 4321); print('up', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        refused = invoke("restore", str(saved))
        assert f"pid {holder.pid}, port 4321" in str(refused.exception)
        second = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True)
        assert "a gateway already runs on" in second.stderr
        assert "AICC_HOME" in second.stderr
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
    assert invoke("restore", str(saved)).exit_code == 0, "the lock ended with the process"


# -- wrong archives ------------------------------------------------------------------------------------------------


def forge(path: Path, edit: Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], None]) -> Path:
    """A copy of an archive with its manifest and members changed."""
    members: list[tuple[tarfile.TarInfo, bytes]] = []
    with tarfile.open(path) as tar:
        for info in tar:
            data = tar.extractfile(info)
            assert data is not None
            members.append((info, data.read()))
    manifest = json.loads(members[0][1])
    rest = members[1:]
    edit(manifest, rest)
    target = path.with_name("forged.tar.gz")
    with tarfile.open(target, "w:gz") as tar:
        raw = json.dumps(manifest).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size = len(raw)
        for member, body in [(info, raw), *rest]:
            member.size = len(body) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(body) if member.isreg() else None)
    return target


def rename(to: str) -> Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], None]:
    def edit(manifest: dict[str, Any], members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        manifest["files"][0]["name"] = to
        members[0][0].name = to

    return edit


def extra(
    kind: bytes, name: str, link: str = ""
) -> Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], None]:
    def edit(manifest: dict[str, Any], members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        members.insert(0, (info, b""))

    return edit


def tamper(manifest: dict[str, Any], members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    info, body = members[0]
    members[0] = (info, bytes([body[0] ^ 1]) + body[1:])


WRONG: dict[str, tuple[Any, str]] = {
    "leads out": (rename("home/../../evil"), "leads out"),
    "absolute": (rename("/etc/evil"), "leads out"),
    "backslash": (rename("home\\..\\evil"), "leads out"),
    "unknown root": (rename("elsewhere/file"), "leads out"),
    "dot": (rename("home/./.env"), "leads out"),
    "symlink": (extra(tarfile.SYMTYPE, "home/link", "/etc"), "not a plain file"),
    "hard link": (extra(tarfile.LNKTYPE, "home/link", "manifest.json"), "not a plain file"),
    "device": (extra(tarfile.CHRTYPE, "home/null"), "not a plain file"),
    "unlisted": (extra(tarfile.REGTYPE, "home/more"), "does not list"),
    "tampered": (tamper, "not what was saved"),
    "missing": (lambda m, files: files.pop(), "missing"),
    "doubled": (lambda m, files: m["files"].append(dict(m["files"][0])), "twice"),
    "newer format": (lambda m, files: m.update(format=2), "format 2"),
    "newer aicc": (lambda m, files: m.update(version="99.0.0"), "update aicc"),
    "no version": (lambda m, files: m.update(version="?"), "no version"),
    "newer schema": (lambda m, files: m.update(schema=99), "schema 99"),
    "odd manifest": (lambda m, files: m.update(files="x"), "cannot be read"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
@pytest.mark.parametrize("dry", [True, False])
def test_wrong_archives_are_refused_before_anything_changes(
    home: Path, saved: Path, case: str, dry: bool
) -> None:
    edit, said = WRONG[case]
    forged = forge(saved, edit)
    (home / "policy.yaml").write_text("# own\n")
    before = content(home)
    with pytest.raises(OpsError, match=said):
        restoring.restore(forged, home, dry_run=dry)
    assert content(home) == before
    assert not list(home.glob(".restoring-*"))
    assert not (home.parent / "evil").exists()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.97, 0.999])
def test_archives_cut_short_are_refused(home: Path, saved: Path, share: float) -> None:
    data = saved.read_bytes()
    cut = saved.with_name("cut.tar.gz")
    cut.write_bytes(data[: int(len(data) * share)])
    before = content(home)
    with pytest.raises(OpsError, match=r"cut|damaged|no backup|manifest"):
        restoring.restore(cut, home)
    assert content(home) == before


def test_flipped_bytes_never_pass(home: Path, saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    flipped = saved.with_name("flipped.tar.gz")
    wanted = {e.name: e.sha256 for e in archive.read_manifest(saved).files}
    for at in range(20, len(data) - 8, max(1, len(data) // 60)):
        changed = bytearray(data)
        changed[at] ^= 0x55
        flipped.write_bytes(changed)
        try:
            manifest = archive.unpack(flipped, None, lambda n: None)
        except OpsError:
            continue
        assert {e.name: e.sha256 for e in manifest.files} == wanted, (
            "only a flip that changed nothing may pass"
        )


def test_a_foreign_file_is_told_apart(home: Path, tmp_path: Path) -> None:
    text = tmp_path / "x.tar.gz"
    text.write_bytes(gzip.compress(b"hello"))
    for path in (text, tmp_path / "none.tar.gz", home / "config.yaml"):
        with pytest.raises(OpsError):
            restoring.restore(path, home)


def test_a_restore_never_writes_through_a_link_to_a_folder(home: Path, saved: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(home / "compose")
    (home / "compose").symlink_to(outside)
    with pytest.raises(OpsError, match="link"):
        restoring.restore(saved, home)
    assert list(outside.iterdir()) == []


# -- maintenance -----------------------------------------------------------------------------------------------------


def test_nightly_maintenance_rotates_expires_and_backs_up(home: Path) -> None:
    spool = Spool(home / "usage.db", RecordConfig()).start()
    spool.put(record(1))
    spool.close()
    with sqlite3.connect(home / "usage.db") as connection:
        connection.execute("UPDATE records SET end = 0")
    connection.close()
    log = home / "logs" / "gateway.err.log"
    log.write_text("x" * 2_000_000)
    keeper = log.open("a")  # launchd keeps its handle
    result = invoke("maintenance", "--json")
    done = {row["name"]: row for row in json.loads(result.output)}
    assert result.exit_code == 0, result.output
    assert done["records"]["detail"] == "1 expired"
    assert backup.newest(home / "backups") is not None
    (packed,) = (home / "logs").glob("gateway.err.log.*.gz")
    assert len(gzip.decompress(packed.read_bytes())) == 2_000_000
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    keeper.write("next\n")
    keeper.close()
    assert log.read_text() == "next\n"


def test_one_failing_job_does_not_stop_the_others(home: Path) -> None:
    (home / "usage.db").write_text("no database, but long enough to be looked at " * 10)
    result = invoke("maintenance", "--json")
    done = {row["name"]: row for row in json.loads(result.output)}
    assert result.exit_code == 1
    assert done["records"]["error"]
    assert done["backup"]["error"] == ""
    assert "next" not in maintenance.rotate_logs(home / "logs")


def test_what_fails_at_night_is_told_where_alerts_go(home: Path) -> None:
    told: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        (home / "backups" / ".lock").unlink(missing_ok=True)
        (home / "backups" / ".lock").mkdir()  # no backup can start
        env = {"AICC_ALERT_WEBHOOK": f"http://127.0.0.1:{server.server_port}/"}
        done = {d.name: d for d in maintenance.maintain(home, home / "policy.yaml", env=env)}
    finally:
        server.shutdown()
        server.server_close()
    assert done["backup"].error
    assert done["logs"].error == ""
    (body,) = told
    assert body["text"].startswith("ALERT maintenance (backup): A job of the nightly work failed; ")
    assert body["severity"] == "warning"
