"""gateway.jsonl holds one line a request and no texts; foreign log lines lose every found value."""

from __future__ import annotations

import gc
import gzip
import io
import json
import logging
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from uvicorn.logging import AccessFormatter

from aicc_hooks.adapter.recorder import Recorder
from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.detect.privacy.config import PrivacyConfig
from aicc_hooks.policy import Policy
from aicc_hooks.record.config import LogConfig, RedactionConfig
from aicc_hooks.record.known import KnownValues, LiveValues
from aicc_hooks.record.log import JsonLog
from aicc_hooks.record.model import Record
from aicc_hooks.record.redaction import Redactor
from aicc_hooks.record.scrub import DROPPED_LINE, WITHHELD, Scrubber, install, install_excepthooks

SSN = "536-22-1847"
PASSWORD = "Tr0ub4dor&3"


def record(name: str, **changes) -> Record:
    return Record(**({"id": name, "start": 1_700_000_000.0, "end": 1_700_000_001.5, "status": 200} | changes))


def lines(path: Path) -> list[dict]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_a_record_without_texts(tmp_path):
    log = JsonLog(tmp_path / "logs" / "gateway.jsonl", LogConfig())
    log.write(
        [
            record(
                "a",
                route="r",
                privacy=("us_ssn",),
                input="the prompt",
                output="the answer",
                error_text="oops",
            ),
            record("b", status=503, error="aicc_upstream_down"),
        ]
    )
    one, two = lines(log.path)
    assert one["time"] == "2023-11-14T22:13:21.500Z"
    assert (one["id"], one["route"], one["privacy"], one["level"]) == ("a", "r", ["us_ssn"], "info")
    assert two["level"] == "error"
    assert not {"input", "output", "error_text"} & one.keys()
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_rotation_by_size_keeps_every_line_compressed_and_prunes_the_oldest(tmp_path):
    log = JsonLog(tmp_path / "gateway.jsonl", LogConfig(max_bytes=2048, keep=100))
    for i in range(60):
        log.write([record(f"r{i}", end=4e9)])
    files = [*log.rotated(), log.path]
    assert len(files) > 3
    assert all(f.suffix == ".gz" and stat.S_IMODE(f.stat().st_mode) == 0o600 for f in files[:-1])
    assert [line["id"] for f in files for line in lines(f)] == [f"r{i}" for i in range(60)]
    small = JsonLog(log.path, LogConfig(max_bytes=1024, keep=2))
    for i in range(20):
        small.write([record(f"s{i}", end=4e9)])
    assert len(small.rotated()) == 2


def test_rotation_by_age(tmp_path):
    log = JsonLog(tmp_path / "gateway.jsonl", LogConfig(max_age_hours=1))
    log.write([record("old")])
    log.write([record("new", end=4e9)])
    assert [line["id"] for line in lines(log.path)] == ["new"]
    assert [line["id"] for line in lines(log.rotated()[0])] == ["old"]


LOGGER = """
import sys
from pathlib import Path
from aicc_hooks.record.config import LogConfig
from aicc_hooks.record.log import JsonLog
from aicc_hooks.record.model import Record
log = JsonLog(Path(sys.argv[1]), LogConfig(max_bytes=8192, keep=1000))
for i in range(300):
    log.write([Record(id=f"{sys.argv[2]}{i}", start=4e9, end=4e9)])
"""


def test_processes_share_the_file_through_rotations(tmp_path):
    path = tmp_path / "gateway.jsonl"
    processes = [subprocess.Popen([sys.executable, "-c", LOGGER, str(path), name]) for name in "ab"]
    assert [p.wait(60) for p in processes] == [0, 0]
    log = JsonLog(path, LogConfig())
    seen = [line["id"] for f in [*log.rotated(), path] for line in lines(f)]
    assert sorted(seen) == sorted(f"{n}{i}" for n in "ab" for i in range(300))


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(PrivacyDetector(PrivacyConfig()), RedactionConfig(), b"0123456789abcdef")


@pytest.fixture
def capture(redactor):
    """Yields (logger factory, scrubber, live values, what was printed)."""
    out = io.StringIO()
    live = LiveValues(grace_s=0.0)
    scrubber = Scrubber(redactor, live)
    undo = []

    def logger(name: str, formatter: logging.Formatter | None = None) -> logging.Logger:
        handler = logging.StreamHandler(out)
        handler.setFormatter(formatter or logging.Formatter("%(levelname)s %(name)s %(message)s"))
        one = logging.getLogger(name)
        before = (one.level, one.propagate)
        one.addHandler(handler)
        one.setLevel(logging.DEBUG)
        one.propagate = False

        def restore() -> None:
            one.removeHandler(handler)
            one.setLevel(before[0])
            one.propagate = before[1]

        undo.append(restore)
        undo.append(install(scrubber, [name]))
        return one

    yield logger, scrubber, live, out
    for step in reversed(undo):
        step()


def test_a_provider_error_that_echoes_the_prompt_is_cleaned(capture):
    logger, _, live, out = capture
    one = logger("LiteLLM Proxy")
    live.hold("r1", KnownValues({PASSWORD: "password"}))
    try:
        try:
            raise ValueError(f"inner {PASSWORD}")
        except ValueError as inner:
            raise RuntimeError(f"upstream said: bad prompt 'my ssn is {SSN}, {PASSWORD}'") from inner
    except RuntimeError as error:
        one.exception("Exception: %s", error, extra={"body": {"prompt": SSN}})
        one.error(f"{error} reversed {PASSWORD[::-1]}", exc_info=True, stack_info=True)
    printed = out.getvalue()
    for secret in (SSN, PASSWORD, PASSWORD[::-1]):
        assert secret not in printed
    assert "RuntimeError <- ValueError" in printed  # what helps to find the fault stays
    assert "test_record_log.py" in printed
    assert "[US_SSN]" in printed


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('chat_completion(): Exception occured - litellm.APIConnectionError: Ollama_chatException - {"error":"failed on: the heron nests"}',
         "chat_completion(): Exception occured - litellm.APIConnectionError: Ollama_chatException - [log text withheld]"),
        ("future: <Task exception=OpenAIError('the heron nests')>", "future: <Task exception=OpenAIError([log text withheld]"),
        ("no model is left for pair", "no model is left for pair"),
    ],
)  # fmt: skip
def test_what_an_error_says_is_withheld(capture, line, kept):
    logger, _, _, out = capture
    logger("LiteLLM Proxy", logging.Formatter("%(message)s")).error("%s", line)
    assert out.getvalue() == kept + "\n"


@pytest.mark.live
def test_a_prompt_that_an_upstream_repeats_is_in_no_log(shared_gateway, ollama):
    gateway = shared_gateway()
    http = gateway.httpx()
    for path, body in (
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "where the grey heron nests"}]}),
        ("/v1/responses", {"input": "where the grey heron nests"}),
        ("/v1/embeddings", {"input": "where the grey heron nests"}),
    ):
        with ollama.failing("echo"):
            model = "embed-local" if path.endswith("embeddings") else "qwen-local"
            answer = http.post(path, json={"model": model, **body})
        assert answer.status_code >= 500
        assert "heron" not in answer.text
    assert b"heron" not in gateway.output()
    for file in gateway.home.rglob("*.jsonl"):
        assert "heron" not in file.read_text(), file.name


def test_records_of_child_loggers_are_cleaned_by_the_handler(capture):
    logger, _, _, out = capture
    logger("LiteLLM")
    logging.getLogger("LiteLLM.deep.child").error("ssn %s", SSN)
    assert SSN not in out.getvalue()
    assert "[US_SSN]" in out.getvalue()


def test_litellm_debug_text_is_withheld_and_long_text_cut(capture):
    logger, _, _, out = capture
    one = logger("LiteLLM")
    one.debug("POST Request Sent: messages=[a poem nobody should read]")
    one.warning("w" * 5000)
    first, second = out.getvalue().splitlines()
    assert first == f"DEBUG LiteLLM {WITHHELD}"
    assert len(second) < 600


def test_a_traceback_inside_the_message_is_cut_off(capture):
    logger, _, _, out = capture
    logger("LiteLLM Router").error(
        'failed\nTraceback (most recent call last):\n  File "x", line 1\n    secret = "purple elephant"'
    )
    assert "purple elephant" not in out.getvalue()


def test_the_access_log_keeps_its_shape_and_loses_the_query(capture):
    logger, _, _, out = capture
    one = logger(
        "uvicorn.access",
        AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s', use_colors=False),
    )
    one.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "POST", f"/v1/chat?key={PASSWORD}", "1.1", 200)
    one.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", f"/ssn:{SSN}", "1.1", 404)
    first, second = out.getvalue().splitlines()
    assert '"POST /v1/chat?… HTTP/1.1" 200' in first
    assert SSN not in second
    assert "404" in second


def test_a_line_that_cannot_be_cleaned_loses_its_text(capture, redactor):
    class Broken:
        def find(self, text, role):
            raise RuntimeError("no")

    _, _, _, out = capture
    broken = Scrubber(Redactor(Broken(), RedactionConfig(), b"0123456789abcdef"))
    one = logging.Logger("LiteLLM")
    handler = logging.StreamHandler(out)
    one.addHandler(handler)
    handler.addFilter(broken)
    one.error("ssn %s", SSN)
    one.error("%d is not a number", SSN)
    one.error("name %s", type("Evil", (), {"__str__": lambda self: 1 / 0})())
    assert out.getvalue().splitlines() == [DROPPED_LINE] * 3
    assert broken.failures == 3


def test_a_line_that_another_scrubber_cleaned_first_loses_these_values_too(capture, redactor):
    logger, _, live, out = capture
    other = Scrubber(redactor)  # it knows nothing of r1
    undo = install(other, ["LiteLLM Proxy"])
    try:
        one = logger("LiteLLM Proxy")
        live.hold("r1", KnownValues({PASSWORD: "password"}))
        try:
            raise ValueError(PASSWORD)
        except ValueError as error:
            one.exception("bad prompt: my ssn is %s, %s", SSN, error)
    finally:
        undo()
    printed = out.getvalue()
    assert PASSWORD not in printed
    assert SSN not in printed
    assert "ValueError\n  at test_record_log.py" in printed  # the shape outlives the second cleaning


def test_a_reload_of_the_policy_never_leaves_the_loggers_unguarded(tmp_path, monkeypatch):
    one = logging.getLogger("LiteLLM Proxy")
    guards: list[int] = []
    real = type(one).removeFilter

    def removing(self, filter):
        real(self, filter)
        if self is one:
            guards.append(sum(isinstance(f, Scrubber) for f in one.filters))

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back at the end
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    recorder = Recorder(tmp_path, {})
    try:
        recorder.configure(Policy(), PrivacyDetector(PrivacyConfig()))
        before = sum(isinstance(f, Scrubber) for f in one.filters)
        monkeypatch.setattr(logging.Filterer, "removeFilter", removing)
        recorder.configure(Policy(), PrivacyDetector(PrivacyConfig()))
        assert guards == [before]  # the new one was there before the old one went
    finally:
        recorder.close()
        for undo in recorder._undo:
            undo()


def test_values_are_forgotten_after_their_request():
    live = LiveValues(grace_s=0.0)
    live.hold("r", KnownValues([PASSWORD]))
    assert live.spans(f"x {PASSWORD}")
    live.release("r")
    assert live.spans(f"x {PASSWORD}") == []
    assert PASSWORD not in repr(vars(live))


def test_installing_twice_changes_nothing_and_undo_removes(redactor):
    scrubber = Scrubber(redactor)
    one = logging.getLogger("aicc-test-install")
    undo = install(scrubber, [one.name])
    install(scrubber, [one.name])
    assert one.filters == [scrubber]
    undo()
    assert one.filters == []


class Careless:
    def __del__(self) -> None:
        raise LookupError(f"card of {SSN}")


def test_uncaught_exceptions_print_their_shape_only():
    printed: list[str] = []
    undo = install_excepthooks(printed.append)
    try:
        thread = threading.Thread(target=lambda: int(f"ssn {SSN}"))
        thread.start()
        thread.join()
        try:
            raise KeyError(PASSWORD)
        except KeyError as error:
            sys.excepthook(KeyError, error, error.__traceback__)
        careless = Careless()
        del careless
        gc.collect()
    finally:
        undo()
    text = "".join(printed)
    assert "ValueError" in text
    assert "KeyError" in text
    assert "LookupError" in text
    assert SSN not in text
    assert PASSWORD not in text
