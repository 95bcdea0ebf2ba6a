"""Drives a real headless Chromium over its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.harness.net import free_port

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-allow-origins=*", "--hide-scrollbars",
)  # fmt: skip


def find_chromium() -> str | None:
    """The browser's program, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if (path := shutil.which(name))), None)
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    return found or (str(mac) if mac.exists() else None)


class Page:
    """One tab. Notes console errors, exceptions and every address that was asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._next = 0
        self.errors: list[str] = []
        self.asked: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._next += 1
        self._socket.send(json.dumps({"id": self._next, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=120))
            if message.get("id") == self._next:
                assert "error" not in message, message["error"]
                return dict(message["result"])
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(
                    str(params["exceptionDetails"].get("exception", {}).get("description", params))
                )
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.errors.append(str([a.get("value", a.get("description")) for a in params["args"]]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def js(self, expression: str) -> Any:
        """The value of an expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def wait(self, condition: str, timeout: float = 60.0) -> None:
        """Until an expression is true; a page that is being replaced counts as not yet."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                if self.js(f"!!({condition})"):
                    return
            except AssertionError:
                pass
            assert time.monotonic() < deadline, f"never true: {condition}; errors: {self.errors}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """A real mouse click in the middle of an element."""
        at = self.js(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """A key such as Enter, Tab or Escape."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def size(self, width: int, height: int, *, phone: bool = False, scale: float = 1.0) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )

    def scheme(self, name: str) -> None:
        """`dark` or `light`, as the system says."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path: Path, *, whole: bool = False) -> bytes:
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        data = base64.b64decode(shot["data"])
        path.write_bytes(data)
        return data


class Browser:
    """A Chromium with a profile of its own; `with Browser() as page`."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._dir = tempfile.mkdtemp(prefix="aicc-chromium-")
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: ClientConnection | None = None

    def __enter__(self) -> Page:
        try:
            return self._start()
        except BaseException:
            self._end()
            raise

    def _start(self) -> Page:
        port = free_port()
        self._process = subprocess.Popen(
            [self._program, *_FLAGS, f"--remote-debugging-port={port}", f"--user-data-dir={self._dir}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while True:
            try:
                tabs = httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False, timeout=2).json()
                target = next(t for t in tabs if t["type"] == "page")
                break
            except (httpx.HTTPError, StopIteration):
                assert time.monotonic() < deadline, "Chromium did not start"
                time.sleep(0.1)
        self._socket = connect(target["webSocketDebuggerUrl"], max_size=None, proxy=None)
        return Page(self._socket)

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        try:
            if self._socket is not None:
                self._socket.close()
        finally:
            if self._process is not None:
                self._process.terminate()
                try:
                    self._process.wait(15)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait(15)
            shutil.rmtree(self._dir, ignore_errors=True)
