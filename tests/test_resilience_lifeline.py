"""What clients get when the process that serves them dies: a real uvicorn that is killed, and the keeper that outlives it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from aicc_hooks.resilience.keeper import Keeper
from aicc_hooks.resilience.last_words import ENV
from tests.harness import wait_until
from tests.harness.net import free_port

# The first word of the path says what the answer is; it never ends, but for `/done` and `/last`.
APP = """
import asyncio, os, sys, uvicorn
from aicc_hooks.resilience.lifeline import Lifeline
lifeline = Lifeline.of_process()
SSE = [(b"content-type", b"text/event-stream")]
PARTS = {
    "stream": (SSE, [b"data: 1\\n\\n"]), "empty": (SSE, [b"data: 1\\n\\n", b""]), "half": (SSE, [b"data: 1\\n\\n", b"data: 2"]), "begun": (SSE, []),
    "packed": ([*SSE, (b"content-encoding", b"gzip")], [b"data: 1\\n\\n"]),
    "length": ([(b"content-length", b"9")], [b"1234"]), "plain": ([], [b"1234"]),
    "full": (SSE, [b"data: " + b"x" * 60_000 + b"\\n\\n"] * 200),
}
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    send = lifeline.follow(scope, send)
    kind = scope["path"].split("/")[1]
    if kind == "head":  # dies when the head of its stream is written, or as that is about to be
        if scope["path"].endswith("/written"):  # at the turn's end; what `send` plans comes later
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), 9)
        await send({"type": "http.response.start", "status": 200, "headers": SSE})
        if scope["path"].endswith("/event"):
            await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
        if scope["path"].endswith("/finished"):
            await asyncio.sleep(0.3)
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), 9)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await asyncio.sleep(600)
        if not scope["path"].endswith("/written"):
            os.kill(os.getpid(), 9)
        await asyncio.sleep(600)
    if kind == "last":  # dies in the very turn of the loop in which it answers
        stream = scope["path"].split("/")[2] in ("event", "end")
        headers = SSE if stream else [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if stream:
            await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
            await asyncio.sleep(0.3)
        if scope["path"].endswith("/gap"):
            await asyncio.sleep(0.3)
            os.kill(os.getpid(), 9)
        more = scope["path"].endswith("/event")
        body = b"data: 2\\n\\n" if stream else b"ok"
        await send({"type": "http.response.body", "body": body, "more_body": more})
        os.kill(os.getpid(), 9)
    if kind in PARTS:
        headers, parts = PARTS[kind]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    elif kind == "done":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await asyncio.sleep(0.05)  # the turns in which what was sent is written and noted
    open(sys.argv[2], "a").write(kind + " ")
    await asyncio.sleep(600)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop=sys.argv[3], log_level="error")
"""


class Worker:
    def __init__(self, folder: Path, keeper: Keeper, loop: str) -> None:
        self.port, self._log, self.keeper = free_port(), folder / "begun", keeper
        self._sockets: list[socket.socket] = []
        self._log.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-c", APP, str(self.port), str(self._log), loop],
            env={**os.environ, ENV: keeper.path},
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=20)
        try:
            wait_until(self._up, 60)
        except BaseException:
            self.end()
            raise

    def _up(self) -> bool:
        try:
            return self.client.get("/done").text == "ok"
        except httpx.TransportError:
            return False

    def begun(self, kind: str) -> None:
        wait_until(lambda: kind in self._log.read_text().split(), 20)

    def raw(self, path: str) -> socket.socket:
        sock = self.connect()
        sock.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
        return sock

    def connect(self) -> socket.socket:
        self._sockets.append(socket.create_connection(("127.0.0.1", self.port), timeout=20))
        return self._sockets[-1]

    def die(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait()

    def end(self) -> None:
        for sock in self._sockets:  # a test that failed left its own open
            sock.close()
        self.client.close()
        self.die()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    made = Keeper()
    made.start()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path: Path, keeper: Keeper) -> Iterator[Callable[..., Worker]]:
    running: list[Worker] = []

    def one(loop: str = "uvloop") -> Worker:
        running.append(Worker(tmp_path, keeper, loop))
        return running[-1]

    yield one
    for worker in running:
        worker.end()


def read_until(sock: socket.socket, end: bytes) -> bytes:
    """What comes up to ``end``: a head and its body may come apart."""
    data = b""
    while not data.endswith(end):
        piece = sock.recv(65536)
        assert piece, f"closed after {data!r}"
        data += piece
    return data


def everything(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    sock.close()
    return data


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_what_each_connection_is_told(start: Callable[..., Worker], loop: str) -> None:
    worker = start(loop)
    paths = [
        "/wait",
        "/wait/messages",
        "/begun",
        "/stream",
        "/empty",
        "/stream/responses",
        "/half",
        "/packed",
        "/length",
        "/plain",
    ]
    socks = {path: worker.raw(path) for path in paths}
    for path in paths:
        worker.begun(path.split("/")[1])
    worker.die(signal.SIGSEGV)
    got = {path: everything(sock).partition(b"\r\n\r\n") for path, sock in socks.items()}

    for path in ("/wait", "/wait/messages"):
        head, _, body = got[path]
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in head
        assert b"x-aicc-error: aicc_upstream_down" in head
        error = json.loads(body)["error"]
        assert error["type"] == ("overloaded_error" if "messages" in path else "aicc_upstream_down")
    for path, first in (
        ("/begun", b""),
        ("/stream", b"9\r\ndata: 1\n\n\r\n"),
        ("/empty", b"9\r\ndata: 1\n\n\r\n"),
        ("/stream/responses", b"9\r\ndata: 1\n\n\r\n"),
    ):
        body = got[path][2]
        assert body.startswith(first)
        size, _, rest = body.removeprefix(first).partition(b"\r\n")
        event, end = rest[: int(size, 16)], rest[int(size, 16) :]
        assert end == b"\r\n0\r\n\r\n"
        assert event.startswith(b"event: error\ndata: " if "responses" in path else b"data: ")
        assert b"aicc_upstream_down" in event
    # No proper end is possible: the client sees that the answer is cut.
    assert got["/half"][2] == b"9\r\ndata: 1\n\n\r\n7\r\ndata: 2\r\n"
    assert got["/packed"][2] == b"9\r\ndata: 1\n\n\r\n"
    assert got["/length"][2] == b"1234"
    assert got["/plain"][2] == b"4\r\n1234\r\n"


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("answer", ["whole", "gap", "event", "end"])
def test_an_answer_is_whole_or_an_error_also_when_its_last_bytes_are_on_their_way(
    start: Callable[..., Worker], loop: str, answer: str
) -> None:
    response = start(loop).client.get(f"/last/{answer}")
    text = response.text  # uvloop writes at the end of a turn, asyncio at once
    if answer in ("whole", "gap"):
        assert (response.status_code, text) == (200, "ok") or (
            response.status_code == 503 and response.json()["error"]["type"] == "aicc_upstream_down"
        )
    else:
        assert text.startswith("data: 1\n\n")
        rest = text.removeprefix("data: 1\n\n").removeprefix("data: 2\n\n")
        assert "aicc_upstream_down" in rest or (answer == "end" and text.endswith("data: 2\n\n"))


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the kernel does not say what is written: such a stream is cut"
)
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("moment", ["begun", "event", "written"])
def test_a_stream_whose_head_is_on_its_way_gets_an_error_of_one_kind(
    start: Callable[..., Worker], loop: str, moment: str
) -> None:
    response = start(loop).client.get(f"/head/{moment}")
    if response.status_code == 503:
        assert (loop, moment) in (("uvloop", "begun"), ("uvloop", "event"))  # else the head was written
        assert response.json()["error"]["type"] == "aicc_upstream_down"
    else:
        data = response.text.removeprefix("data: 1\n\n").removeprefix("data: ")
        assert json.loads(data)["error"]["type"] == "aicc_upstream_down"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an error follows the whole answer")
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_nothing_follows_a_stream_that_was_written_whole(start: Callable[..., Worker], loop: str) -> None:
    data = everything(start(loop).raw("/head/finished"))
    assert data.partition(b"\r\n\r\n")[2] == b"0\r\n\r\n"


def test_where_the_kernel_does_not_say_what_is_written_a_cut_stream_is_only_cut(
    start: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aicc_hooks.resilience.keeper.written", lambda descriptor: None)
    worker = start("asyncio")
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        worker.client.get("/head/written")


def test_a_request_that_nobody_has_read_yet_is_told_too(start: Callable[..., Worker]) -> None:
    worker = start()
    used = worker.raw("/done")
    read_until(used, b"ok")
    worker.process.send_signal(signal.SIGSTOP)
    used.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
    worker.die()
    assert json.loads(everything(used).partition(b"\r\n\r\n")[2])["error"]["type"] == "overloaded_error"


def test_an_idle_connection_is_only_closed(start: Callable[..., Worker]) -> None:
    worker = start()
    sock = worker.raw("/done")
    read_until(sock, b"ok")
    worker.die()
    assert everything(sock) == b""


def test_nothing_is_put_into_the_middle_of_a_half_written_stream(start: Callable[..., Worker]) -> None:
    worker = start()
    sock = worker.raw("/full/slow")  # reads nothing: the kernel's buffers fill up
    for _ in range(20):  # the loop goes round meanwhile
        assert worker.client.get("/done").text == "ok"
    worker.die()
    assert b"aicc_upstream_down" not in everything(sock)


def test_connections_end_when_the_worker_ends_them_and_not_when_the_supervisor_looks(
    start: Callable[..., Worker], keeper: Keeper
) -> None:
    worker = start()
    for _ in range(3):
        sock = worker.connect()
        sock.sendall(b"GET /done HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert everything(sock).endswith(b"ok")
    worker.client.close()
    wait_until(lambda: not any(w.held for w in keeper._workers.values()), 20)


def test_a_worker_serves_on_when_the_keeper_is_gone(start: Callable[..., Worker], keeper: Keeper) -> None:
    worker = start()
    stream = worker.raw("/stream")
    worker.begun("stream")
    for held in keeper._workers.values():
        held.let_go()
    keeper._workers.clear()
    keeper.close()
    read_until(stream, b"data: 1\n\n\r\n")
    stream.setblocking(False)
    for _ in range(5):
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{worker.port}/done").text == "ok"
    with pytest.raises(BlockingIOError):  # neither more nor an end
        stream.recv(65536)
    stream.close()


def test_without_a_supervisor_nothing_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    from aicc_hooks.resilience.lifeline import Lifeline

    async def send(message: object) -> None:
        """Never called."""

    for path in ("", "/nowhere/lifeline"):
        monkeypatch.setenv(ENV, path)
        assert Lifeline.of_process().follow({"path": "/"}, send) is send


def test_a_client_that_still_sends_reads_the_error(start: Callable[..., Worker]) -> None:
    worker = start()
    sock = worker.connect()
    sock.sendall(b"POST /wait HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n" + b"x" * 1000)
    worker.begun("wait")
    worker.die()
    sock.sendall(b"x" * 1000)
    assert everything(sock).startswith(b"HTTP/1.1 503 ")
