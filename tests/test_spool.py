"""The spool loses nothing it acknowledged, blocks nobody, and says what it could not keep."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aicc_hooks.errors import SpoolError
from aicc_hooks.record import beside, retention, schema
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Attempt, Record
from aicc_hooks.record.outbox import Outbox, give_feedback
from aicc_hooks.record.reader import Filters, SpoolReader
from aicc_hooks.record.spool import Spool
from aicc_hooks.record.writer import Writer
from tests.harness import wait_until

NOW = time.time()


def record(name: str, **changes) -> Record:
    values = {"start": NOW, "end": NOW + 1, "status": 200, "route": "qwen-local"} | changes
    return Record(id=name, **values)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "home" / "usage.db"


@pytest.fixture
def spool(path):
    opened = []

    def start(**options) -> Spool:
        settings = {k: options.pop(k) for k in list(options) if k in RecordConfig.model_fields}
        opened.append(Spool(path, RecordConfig(**settings), **options).start())
        return opened[-1]

    yield start
    for one in opened:
        one.close(2)


def ids(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        found = {row[0] for row in connection.execute("SELECT id FROM records")}
    connection.close()
    return found


def test_a_record_comes_back_as_it_was(path, spool):
    original = record(
        "r1",
        attempts=(Attempt("qwen", "timeout"),),
        privacy=("email", "us_ssn"),
        privacy_counts={"us_ssn": 2},
        input=[{"role": "user", "content": "hi \ud83d there"}],
        requested="bad \ud800 name",
    )
    writer = spool()
    assert writer.put(original)
    assert writer.flush()
    with SpoolReader(path) as reader:
        assert reader.get("r1") == original
        assert reader.get("other") is None


def test_records_are_committed_in_time_without_a_flush_and_while_more_arrive(path, spool, monkeypatch):
    monkeypatch.setattr("aicc_hooks.record.spool._BATCH", 1_000_000)  # neither a full batch ends the wait
    writer = spool(commit_interval_ms=250)
    assert writer.put(record("warm"))
    writer.flush()
    for i in range(4_000):  # 5 ms apart: without a pause in which the queue is empty for long
        writer.put(record(f"r{i}"))
        time.sleep(0.005)
        if i % 25 == 24 and "r0" in ids(path):
            break
    assert "r0" in ids(path)
    wait_until(lambda: f"r{i}" in ids(path), 20)


def test_files_are_private(path, spool):
    os.umask(0o022)
    writer = spool()
    writer.put(record("r"))
    writer.flush()
    for suffix in ("", "-wal", "-shm"):
        assert stat.S_IMODE(path.with_name(path.name + suffix).stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_one_id_is_one_record(path, spool):
    writer = spool()
    for _ in range(3):
        writer.put(record("same"))
    assert writer.flush()
    assert ids(path) == {"same"}
    assert writer.counters()["duplicates"] == 2


def test_overflow_is_counted_and_put_never_waits(path, spool):
    writer = spool(queue_size=10)
    writer.put(record("first"))
    writer.flush()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    kept = [writer.put(record(f"r{i}")) for i in range(500)]
    assert writer.counters()["committed"] == 1, "none waited for the lock, which still holds"
    blocker.execute("COMMIT")
    blocker.close()
    assert writer.flush(10)
    counts = writer.counters()
    assert counts["dropped"] == kept.count(False) > 0
    assert counts["committed"] == 1 + kept.count(True)
    with SpoolReader(path) as reader:
        writer.put(record("last"))
        writer.flush()
        assert reader.counters()["dropped"] == counts["dropped"]  # for other processes to see
        assert reader.coverage() == pytest.approx(1 - counts["dropped"] / 502)


def test_a_locked_database_delays_and_loses_nothing(path, spool):
    writer = spool(busy_ms=50)
    writer.put(record("a"))
    writer.flush()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    writer.put(record("b"))
    assert not writer.flush(0.4)
    wait_until(lambda: writer.last_error == "SQLITE_BUSY", 10)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert writer.flush(10)
    assert ids(path) == {"a", "b"}
    assert writer.last_error == ""


def test_close_gives_up_on_a_lock_in_bounded_time(path, spool):
    writer = spool(busy_ms=50)
    writer.put(record("a"))
    writer.flush()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    writer.put(record("b"))
    assert not writer.close(0.3)  # and it returns, though the lock still holds
    blocker.close()


def test_close_writes_what_is_queued(path, spool):
    writer = spool()
    for i in range(300):
        writer.put(record(f"r{i}"))
    assert writer.close()
    assert len(ids(path)) == 300
    assert not writer.put(record("late"))
    assert writer.counters()["dropped"] == 1


def test_a_damaged_database_is_moved_aside_and_work_goes_on(path, spool, caplog):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database at all, but long enough to look at" * 100)
    writer = spool()
    writer.put(record("r"))
    assert writer.flush(10)
    assert ids(path) == {"r"}
    assert writer.counters()["recreated"] == 1
    aside = [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    assert [p.read_bytes()[:16] for p in aside] == [b"this is not a da"]
    assert stat.S_IMODE(aside[0].stat().st_mode) == 0o600
    assert "damaged" in caplog.text


def test_one_record_that_cannot_be_written_takes_no_other_with_it(path, spool):
    writer = spool(commit_interval_ms=200)
    for name in ("a", "b", "c"):
        writer.put(record(name))
    writer.put(record("bad", prompt_tokens=2**63))
    writer.put(record("d"))
    assert writer.flush(10)
    assert ids(path) == {"a", "b", "c", "d"}
    assert writer.counters()["failed"] == 1


def test_damage_while_running_is_survived(path, spool):
    writer = spool()
    for i in range(200):
        writer.put(record(f"r{i}", input="x" * 2000))
    writer.flush()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(b"\xff" * size)
    writer.put(record("after", input="y" * 2000))
    assert writer.flush(20)
    assert "after" in ids(path)
    with SpoolReader(path) as reader:
        assert reader.get("after") is not None


def damage_all_but_the_last_writes(path: Path, writer: Spool) -> None:
    """The file is garbage, but what the -wal beside it holds is read from there: page 1, and the end of the table."""
    for i in range(3_000):
        writer.put(record(f"r{i:04}", input="x" * 200))
    assert writer.flush(20)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()
    for i in range(40):  # enough to add a page to the table, which changes page 1 and the table's root
        writer.put(record(f"s{i}"))
    assert writer.flush(10)
    with path.open("r+b") as file:
        file.write(b"this is no database " * (path.stat().st_size // 20))


def test_damage_that_only_a_reader_meets_is_mended_too(path, spool):
    writer = spool()
    damage_all_but_the_last_writes(path, writer)
    with SpoolReader(path, on_damage=writer.suspect) as reader:
        with pytest.raises(SpoolError, match="damaged"):
            reader.recent(2_000)

        def empty() -> bool:
            with contextlib.suppress(SpoolError):  # while the new file is being made
                return reader.recent(2_000) == []
            return False

        wait_until(empty, 10)
        assert writer.counters()["recreated"] == 1
        writer.put(record("after"))
        assert writer.flush(10)
        assert [r["id"] for r in reader.recent()] == ["after"]


def test_damage_that_a_lease_meets_is_mended_too(path, spool):
    writer = spool()
    damage_all_but_the_last_writes(path, writer)
    with Writer(path, on_damage=writer.suspect) as other:
        with pytest.raises(SpoolError):
            other.take_lease("x", 5)
        wait_until(lambda: writer.counters()["recreated"] == 1, 10)
        assert other.take_lease("x", 5)


def test_a_sound_file_that_is_called_damaged_is_kept_and_looked_through_once(path, spool, mocker):
    writer = spool()
    writer.put(record("kept"))
    assert writer.flush()
    looked = mocker.spy(schema, "set_aside")
    for _ in range(200):
        writer.suspect()
        time.sleep(0.01)
    assert looked.call_count == 1
    assert ids(path) == {"kept"}
    assert writer.counters()["recreated"] == 0


def test_a_file_replaced_while_it_is_opened_is_not_written_to_for_ever(path, mocker):
    other = path.with_name("other.db")
    schema.open_writable(other).close()
    real = schema._open

    def slow(place: Path, *options) -> sqlite3.Connection:
        connection = real(place, *options)
        mocker.stop(patched)
        other.replace(place)
        return connection

    patched = mocker.patch.object(schema, "_open", slow)
    with Writer(path) as writer:
        assert writer.take_lease("first", 5)
        assert writer.take_lease("second", 5)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert ("second",) in connection.execute("SELECT name FROM leases").fetchall()


def test_a_file_moved_over_the_open_one_is_read_without_what_lay_beside_the_old(path, spool):
    writer = spool()
    for i in range(20):
        writer.put(record(f"old{i}"))
    assert writer.flush()
    other = path.with_name("other.db")
    with contextlib.closing(schema.open_writable(other)) as connection:
        connection.execute("INSERT INTO counters VALUES ('marker', 1)")
    with SpoolReader(path) as reader, Writer(path) as leases:
        assert len(reader.recent()) == 20
        assert leases.take_lease("x", 5)
        assert path.with_name("usage.db-wal").stat().st_size > 0
        other.replace(path)
        assert reader.recent() == []
        assert reader.counters() == {"marker": 1}
        assert leases.take_lease("x", 5)
        writer.put(record("new"))
        assert writer.flush(10)
        assert [r["id"] for r in reader.recent()] == ["new"]
    assert ids(path) == {"new"}


def test_what_a_crash_left_beside_the_file_is_kept(path):
    schema.open_writable(path).close()
    crash = "import os,sys; from tests.test_spool import *; w = Spool(Path(sys.argv[1]), RecordConfig()).start(); w.put(record('kept')); assert w.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", crash, str(path)], check=True, timeout=60)
    moved = path.with_name("moved")  # as a copy of the whole home has another inode
    moved.mkdir()
    for file in path.parent.glob("usage.db*"):
        (moved / file.name).write_bytes(file.read_bytes())
    assert (moved / "usage.db-wal").stat().st_size > 0
    with SpoolReader(moved / "usage.db") as reader:
        assert [r["id"] for r in reader.recent()] == ["kept"]


def test_a_removed_file_is_made_again(path, spool):
    writer = spool()
    writer.put(record("a"))
    writer.flush()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    writer.put(record("b"))
    assert writer.flush(10)
    assert ids(path) == {"b"}


def test_a_newer_schema_is_left_alone(path, spool):
    schema.open_writable(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(SpoolError, match="newer aicc"):
        schema.open_writable(path)
    with SpoolReader(path) as reader, pytest.raises(SpoolError, match="newer aicc"):
        reader.recent()


def test_a_process_stopped_while_it_opens_the_file_holds_nobody_up(path, mocker):
    schema.open_writable(path).close()
    mocker.patch.object(beside, "_WAIT_S", 0.3)
    with beside.exclusive(path), Writer(path) as writer:
        began = time.monotonic()
        with pytest.raises(SpoolError, match="TimeoutError"):
            writer.take_lease("x", 5)
        assert time.monotonic() - began < 5
    with Writer(path) as writer:
        assert writer.take_lease("x", 5)


def test_migrations_run_once_when_many_start_together(path):
    errors: list[Exception] = []

    def open_one() -> None:
        try:
            schema.open_writable(path, busy_ms=5000).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert errors == []


WRITER = """
import sys, time
from pathlib import Path
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Record
from aicc_hooks.record.spool import Spool
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
acked = lambda records: print(*(r.id for r in records), flush=True)
spool = Spool(path, RecordConfig(), sinks=("langfuse",), on_commit=acked).start()
for i in range(count):
    while not spool.put(Record(id=f"{name}-{i}", start=time.time(), end=time.time(), input="x" * 500)):
        time.sleep(0.01)
    if count > 10_000:
        time.sleep(0.0005)
spool.close(60)
"""


def run_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_kill_9_loses_no_acknowledged_record(path):
    process = run_writer(path, "k", 1_000_000)
    acked: set[str] = set()
    assert process.stdout is not None
    for line in process.stdout:
        acked |= set(line.split())
        if len(acked) > 150:
            break
    process.send_signal(signal.SIGKILL)
    acked |= {
        name
        for line in process.stdout.read().splitlines(keepends=True)
        if line.endswith("\n")
        for name in line.split()
    }
    process.wait()
    process.stdout.close()
    assert acked <= ids(path)
    box = Outbox(path, "langfuse")
    assert {item.record.id for item in box.due(10_000)} >= acked  # and is still owed to Langfuse
    box.close()


def test_two_processes_write_one_file(path):
    writers = [run_writer(path, name, 400) for name in "ab"]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert ids(path) == {f"{n}-{i}" for n in "ab" for i in range(400)}
    with SpoolReader(path) as reader:
        assert reader.counters()["committed"] == 800


FULL = """
import resource, signal, sys, time
from pathlib import Path
from aicc_hooks.record.config import RecordConfig
from aicc_hooks.record.model import Record
from aicc_hooks.record.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
spool = Spool(Path(sys.argv[1]), RecordConfig(queue_size=50)).start()
make = lambda i: Record(id=f"r{i}", start=1.0, end=time.time(), input="x" * 4000)
spool.put(make(0)); assert spool.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
kept = [0] + [i for i in range(1, 400) if time.sleep(0.002) or spool.put(make(i))]
assert not spool.flush(0.5), "the disk should be full"
print(spool.last_error, spool.counters()["dropped"])
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert spool.flush(20)
print(*kept)
spool.close()
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_survived_and_overflow_is_counted(path):
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    state, kept = done.stdout.splitlines()
    error, dropped = state.split()
    assert error in ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR")
    assert int(dropped) > 0
    assert ids(path) == {f"r{i}" for i in kept.split()}


def test_a_shorter_retention_holds_while_it_runs(spool, path, monkeypatch):
    monkeypatch.setattr("aicc_hooks.record.spool._RETENTION_EVERY_S", 0.01)
    running = spool()
    running.put(record("old", end=NOW - 2 * 86_400))
    running.put(record("new"))
    running.flush(20)
    assert ids(path) == {"old", "new"}
    running.configure(RecordConfig(retention_days=1))
    wait_until(lambda: ids(path) == {"new"}, 20)


def test_old_records_go_by_age_then_by_size_and_are_counted(path):
    connection = schema.open_writable(path)
    # Its own retention must not be faster than the test's.
    spool = Spool(path, RecordConfig(retention_days=3650), sinks=("langfuse",)).start()
    day = 86_400
    for i in range(50):
        spool.put(record(f"old{i}", end=NOW - 31 * day))
    for i in range(600):
        spool.put(record(f"new{i}", end=NOW - 600 + i, input="x" * 4000))
    spool.flush(20)
    spool.close()
    gone = retention.expire(connection, days=30, max_bytes=10**12, now=NOW)
    assert (gone.by_age, gone.by_size, gone.undelivered) == (50, 0, 50)
    gone = retention.expire(connection, days=30, max_bytes=1_200_000, now=NOW)
    left = ids(path)
    assert gone.by_age == 0
    assert 0 < gone.by_size == 600 - len(left)
    assert left == {f"new{i}" for i in range(600 - len(left), 600)}  # the oldest went
    assert retention.used_bytes(connection) <= 1_200_000
    connection.close()
    with SpoolReader(path) as reader:
        counts = reader.counters()
        assert counts["expired_age"] == 50
        assert counts["expired_size"] == gone.by_size
        assert counts["expired_undelivered"] == 50 + gone.by_size


def test_feedback_is_taken_once_for_a_known_record(path, spool):
    writer = spool()
    writer.put(record("r"))
    writer.flush()
    assert give_feedback(path, "r", 1.0, "good") == "stored"
    assert give_feedback(path, "r", 0.0) == "duplicate"
    assert give_feedback(path, "nobody", 1.0) == "unknown"
    with SpoolReader(path) as reader:
        kept = reader.feedback("r")
    assert kept is not None
    assert (kept["score"], kept["comment"]) == (1.0, "good")


def test_lists_filter_and_page(path, spool):
    writer = spool()
    for i in range(30):
        writer.put(
            record(
                f"r{i}",
                end=NOW + i,
                reason="privacy:us_ssn" if i % 3 == 0 else "complexity:simple",
                privacy=("us_ssn",) if i % 3 == 0 else (),
                status=500 if i % 10 == 0 else 200,
                injection=i / 30,
            )
        )
    writer.flush()
    with SpoolReader(path) as reader:
        first = reader.recent(10)
        second = reader.recent(10, before=first[-1]["seq"])
        assert [r["id"] for r in first + second] == [f"r{i}" for i in range(29, 9, -1)]
        assert [r["id"] for r in reader.since(first[-1]["seq"], 3)] == ["r21", "r22", "r23"]
        for filters, expected in (
            (Filters(reason="privacy"), {i for i in range(30) if i % 3 == 0}),
            (Filters(privacy="us_ssn", errors=True), {0}),
            (Filters(errors=True), {0, 10, 20}),
            (Filters(privacy="ssn"), set()),
            (Filters(injection_min=0.9), {27, 28, 29}),
            (Filters(since=NOW + 28), {28, 29}),
            (Filters(route="' OR 1=1 --"), set()),
        ):
            assert {r["id"] for r in reader.recent(100, filters=filters)} == {f"r{i}" for i in expected}
        assert first[2]["privacy"] == ["us_ssn"]


def test_a_reader_explains_what_is_wrong(path):
    with SpoolReader(path) as reader:
        with pytest.raises(SpoolError, match="first request"):
            reader.recent()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"nonsense" * 1000)
        with pytest.raises(SpoolError, match="damaged"):
            reader.recent()
        path.unlink()
        schema.open_writable(path).close()
        assert reader.recent() == []


def test_a_lease_is_held_by_one_and_taken_over_when_it_lapses(path, spool, monkeypatch):
    writer = spool(sinks=("langfuse",))
    writer.put(record("r"))
    writer.flush()
    one, two = Outbox(path, "langfuse"), Outbox(path, "langfuse")
    monkeypatch.setattr(time, "time", lambda: NOW)
    assert one.lease(30)
    assert one.lease(20)
    assert not two.lease(30)
    monkeypatch.setattr(time, "time", lambda: NOW + 19)
    assert not two.lease(30)
    monkeypatch.setattr(time, "time", lambda: NOW + 21)
    assert two.lease(30)
    assert not one.lease(30)
    two.release()
    assert one.lease(1)
    one.close()
    two.close()


def test_what_was_lost_before_the_spool_is_counted_for_every_reader(path, spool):
    spool = spool()
    spool.put(record("a"))
    assert spool.flush()
    spool.lost(3)
    with SpoolReader(path) as reader:
        deadline = time.monotonic() + 5
        while reader.lost() != 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert reader.lost() == 3
        assert reader.coverage() == pytest.approx(0.25)


def test_it_says_while_it_cannot_write_and_when_it_can_again(path, spool):
    spool = spool(busy_ms=50)
    spool.put(record("a"))
    assert spool.flush()
    assert spool.trouble() == ""
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    spool.put(record("b"))
    deadline = time.monotonic() + 10
    while not spool.trouble() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "SQLITE_BUSY" in spool.trouble()
    assert "1 records wait" in spool.trouble()
    blocker.close()
    assert spool.flush(10)
    assert spool.trouble() == ""


def test_another_program_that_looks_into_usage_db_takes_nothing_along(spool, path) -> None:
    """Opening the file beside SQLite ended our locks on it: the other one took itself for the last and removed the -wal."""
    ours = spool()
    look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT count(*) FROM records').fetchone()[0]); c.close()"
    ours.put(record("before"))
    wait_until(lambda: ids_as_we_read(path) == {"before"}, 30, "the first record")
    schema.open_writable(path).close()  # as the writer of feedback does, in the same process
    assert (
        subprocess.run([sys.executable, "-c", look, str(path)], check=True, capture_output=True).stdout
        == b"1\n"
    )
    ours.put(record("after"))
    wait_until(lambda: ids_as_we_read(path) == {"before", "after"}, 30, "the second record")


def ids_as_we_read(path: Path) -> set[str]:
    with contextlib.suppress(SpoolError), SpoolReader(path) as reader:
        return {row["id"] for row in reader.recent(10)}
    return set()
