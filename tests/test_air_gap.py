"""Nothing phones home: the whole stack starts and serves where there is no network but loopback.

The test makes a network namespace of its own that has only `lo` and runs this file in it (`main` below), with Ollama, Langfuse and
Redis on loopback. Two witnesses watch the gateway: an audit hook in each of its Python processes (connections and lookups, by address),
and the kernel's own count of packets that had no route, which C code (uvloop, the resolver) cannot pass unseen.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import GatewayProcess, RedisProcess, wait_until
from tests.harness.gateway import ROOT
from tests.ollama_stub import OllamaStub
from tests.standins.langfuse import LangfuseStandIn

pytestmark = pytest.mark.live

# Runs in every Python process of the gateway before anything else.
WATCH = """
import json, os, sys
def watch(event, args, to=os.environ["NET_LOG"]):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"):
        where = args[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else args[0]
        line = json.dumps([event, where if isinstance(where, (str, list, tuple, type(None))) else repr(where)], default=repr)
        handle = os.open(to, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, (line + "\\n").encode())
        os.close(handle)
sys.addaudithook(watch)
"""


def test_the_stack_serves_with_loopback_only(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "-rnm", "true"], check=False, capture_output=True, timeout=10).returncode
    ):
        pytest.skip("network namespaces are not permitted here (needs Linux and `unshare -rnm`)")
    report = tmp_path / "report.json"
    command = [unshare, "-rnm", sys.executable, "-m", "tests.test_air_gap", str(report)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    seen = json.loads(report.read_text())
    assert seen["interfaces"] == ["lo"]
    assert seen["routes"] == []
    assert {name: status for name, status in seen["statuses"].items() if status != 200} == {}
    assert seen["traces"] >= len(seen["statuses"]) - 1  # health leaves none
    assert seen["attempts"] > 0, "the watch itself must have seen the calls to Ollama"
    assert seen["elsewhere"] == []
    assert seen["no_route"] == 0
    assert seen["no_route_after_a_try"] > 0, (
        "the kernel's count must see a connection and a lookup that leave"
    )


def _elsewhere(line: str) -> bool:
    """True for anything that is not this machine by its number or by its name."""
    where = json.loads(line)[1]
    host = where[0] if isinstance(where, list) else where
    if host is None or (isinstance(where, str) and where.startswith(("/", "\\0"))):
        return False  # a socket of the file system, or "any address of mine"
    if host in ("localhost", "", b"localhost"):
        return False
    try:
        return not ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return True


def main(report: Path) -> None:
    """Inside the namespace: bring `lo` up, start everything, serve every endpoint, tell what was reached."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    resolver = report.with_name("resolv.conf")
    resolver.write_text(
        "nameserver 192.0.2.1\noptions timeout:1 attempts:1\n"
    )  # so that a lookup is a packet without a route
    subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True, timeout=10)
    log = report.with_name("net.log")
    env = {
        "NET_LOG": str(log),
        "PYTHONPATH": os.pathsep.join((".", str(ROOT))),
        "LITELLM_LOCAL_MODEL_COST_MAP": None,
        "NO_PROXY": None,
    }
    with OllamaStub() as ollama, LangfuseStandIn() as langfuse, RedisProcess() as redis:
        env |= {
            **langfuse.env,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(redis.port),
            "OLLAMA_BASE_URL": ollama.url,
        }
        gateway = GatewayProcess(
            command=("aicc", "serve", "--config", str(ROOT / "litellm_config" / "config.yaml")),
            env=env,
            files={"sitecustomize.py": WATCH},
        )
        with gateway:
            statuses = serve(gateway)
            wait_until(lambda: len(langfuse.traces) >= len(statuses) - 1, 90, "traces")
            traces = len(langfuse.traces)
    lines, lost = log.read_text().splitlines(), _no_route()
    with contextlib.suppress(OSError):
        socket.getaddrinfo("example.com", 80)
    routes = [r for r in Path("/proc/net/route").read_text().splitlines()[1:] if r.strip()]
    report.write_text(json.dumps({"interfaces": _interfaces(), "routes": routes, "statuses": statuses, "traces": traces, "attempts": len(lines),
                                  "no_route": lost, "no_route_after_a_try": _no_route() - lost,
                                  "elsewhere": sorted({line for line in lines if _elsewhere(line)})}))  # fmt: skip


def _no_route() -> int:
    """Packets and connections of this namespace that found no route, IPv4 and IPv6."""
    names, values = (
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:")
    )
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(six.get("Ip6OutNoRoutes", 0))


def _interfaces() -> list[str]:
    lines = (
        Path("/proc/net/dev").read_text().splitlines()[2:]
    )  # of this namespace; /sys may still show another's
    return sorted(line.partition(":")[0].strip() for line in lines)


def serve(gateway: GatewayProcess) -> dict[str, int]:
    """One request of each kind."""
    http = gateway.httpx()
    said = [{"role": "user", "content": "Please say hello."}]
    private = [{"role": "user", "content": "Please check my card 4539 7281 6405 9378."}]
    picture = [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
    bodies = {
        "/v1/chat/completions": {"model": "auto", "messages": said},
        "/v1/chat/completions#stream": {"model": "auto", "messages": said, "stream": True},
        "/v1/chat/completions#private": {"model": "auto", "messages": private},
        "/v1/chat/completions#parts": {"model": "qwen-local", "messages": picture},
        "/v1/chat/completions#long": {
            "model": "auto",
            "messages": [{"role": "user", "content": "word " * 3000}],
        },
        "/v1/completions": {"model": "auto", "prompt": "Say hello."},
        "/v1/responses": {"model": "auto", "input": "Say hello."},
        "/v1/messages": {"model": "auto", "max_tokens": 20, "messages": said},
        "/v1/embeddings": {"model": "embed-local", "input": ["hello"]},
    }
    statuses = {
        name: http.post(name.partition("#")[0], json=body).status_code for name, body in bodies.items()
    }
    return {**statuses, "/aicc/health": http.get("/aicc/health").status_code}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
