"""`aicc doctor`: each fault is found, named and given its command, within three seconds."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aicc_hooks.cli import group
from aicc_hooks.ops import backup
from aicc_hooks.ops.doctor import installed, machine, running, servers, services, trials
from aicc_hooks.ops.doctor.model import Context, Finding, exit_code, run_checks
from aicc_hooks.ops.doctor.run import CHECKS, read_context
from aicc_hooks.ops.env_file import with_values
from aicc_hooks.ops.look import Machine, ollama_models
from aicc_hooks.record import Record, RecordConfig, Spool
from aicc_hooks.resilience.crashes import CrashEvent, now_text, write_crash
from aicc_hooks.resilience.ollama import OllamaClient
from tests.harness import GatewayProcess, RedisProcess, free_port
from tests.ollama_stub import OllamaStub
from tests.standins.langfuse import LangfuseStandIn

AICC = str(Path(sys.executable).with_name("aicc"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ollama: OllamaStub) -> Path:
    path = tmp_path / "Häuschen mit Garten"
    for name in list(os.environ):
        if name.startswith(("AICC_", "LANGFUSE_", "REDIS_", "OLLAMA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AICC_HOME", str(path))
    port = str(free_port())
    done = CliRunner().invoke(
        group, ["init", "--yes", "--ollama-url", ollama.url, "--redis-port", "1", "--port", port]
    )
    assert done.exit_code == 0, done.output
    return path


def edit_env(home: Path, **values: str) -> None:
    (home / ".env").write_text(with_values((home / ".env").read_text(), values))


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that expect an answer: a busy test machine is not what is looked for."""
    for module in (running, services):
        monkeypatch.setattr(module, "LIMIT_S", 20)
    for module in (trials, servers):
        monkeypatch.setattr(module, "_LIMIT_S", 20)
    monkeypatch.setattr(services, "_REDIS_LIMIT_S", 20)


def look() -> dict[str, Finding]:
    """Findings by name; the worst of each."""
    context = read_context(dict(os.environ))
    order = ("ok", "off", "warn", "fail")
    out: dict[str, Finding] = {}
    for finding in run_checks(CHECKS, context, 90):
        if finding.name not in out or order.index(finding.level) > order.index(out[finding.name].level):
            out[finding.name] = finding
    return out


@pytest.mark.usefixtures("unhurried")
def test_a_healthy_installation_has_no_failure(
    home: Path, ollama: OllamaStub, redis_server: RedisProcess, langfuse: LangfuseStandIn
) -> None:
    edit_env(
        home, REDIS_PORT=str(redis_server.port), LANGFUSE_HOST=langfuse.url, LANGFUSE_PUBLIC_KEY=langfuse.public_key,
        LANGFUSE_SECRET_KEY=langfuse.secret_key,
    )  # fmt: skip
    backup.create(home)
    found = look()
    assert {n: f for n, f in found.items() if f.level == "fail"} == {}
    for name in (
        "ollama",
        "models",
        "redis",
        "langfuse",
        "key",
        "permissions",
        "config",
        "policy",
        "callbacks",
        "backup",
    ):
        assert found[name].level == "ok", found[name]
    assert "langfuse.write" not in found
    assert "langfuse.read" not in found
    assert langfuse.requests, "it was really asked"


def test_every_trouble_names_its_command(home: Path) -> None:
    (home / ".env").chmod(0o644)
    shutil.rmtree(home / "backups")
    for finding in look().values():
        if finding.level in ("warn", "fail"):
            assert finding.fix, finding


FAULTS: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    # name: (break it, finding, level, part of the fix)
    "no home": (lambda h: shutil.rmtree(h), "home", "fail", "aicc init"),
    "half-written env": (lambda h: (h / ".env").write_text('A="x'), ".env", "fail", "--repair"),
    "port is no number": (lambda h: edit_env(h, AICC_ROUTER_PORT="many"), ".env", "fail", "line"),
    "open env": (lambda h: (h / ".env").chmod(0o644), "permissions", "fail", "chmod 600"),
    "open home": (lambda h: h.chmod(0o755), "permissions", "warn", "chmod 700"),
    "known key": (lambda h: edit_env(h, AICC_MASTER_KEY="sk-command-center-local"), "key", "fail", "--new-key"),
    "weak key": (lambda h: edit_env(h, AICC_MASTER_KEY="sk-aaaa"), "key", "warn", "--new-key"),
    "no key": (lambda h: edit_env(h, AICC_MASTER_KEY=""), "key", "fail", "aicc init"),
    "one langfuse key": (lambda h: edit_env(h, LANGFUSE_SECRET_KEY=""), "key.langfuse", "warn", "aicc init"),
    "broken config": (lambda h: (h / "config.yaml").write_text("model_list: ["), "config", "fail", "aicc init"),
    "unset reference": (
        lambda h: (h / "config.yaml").write_text((h / "config.yaml").read_text().replace("os.environ/OLLAMA_BASE_URL", "os.environ/NO_SUCH")),
        "config.NO_SUCH", "fail", "NO_SUCH=",
    ),
    "broken policy": (lambda h: (h / "policy.yaml").write_text("privcy: {}"), "policy", "fail", "last good"),
    "missing route": (lambda h: (h / "policy.yaml").write_text("routing: {simple_route: gpt-9}"), "policy", "fail", "last good"),
    "dead pattern": (lambda h: (h / "policy.yaml").write_text("privacy: {pii_regexes: ['(']}"), "patterns", "warn", ""),
    "other callback": (
        lambda h: (h / "config.yaml").write_text((h / "config.yaml").read_text().replace("    - aicc_hooks.gateway\n", "    - aicc_hooks.gateway\n    - langfuse\n")),
        "callbacks.other", "fail", "remove",
    ),
    "own callback gone": (
        lambda h: (h / "config.yaml").write_text((h / "config.yaml").read_text().replace("    - aicc_hooks.privacy_hook\n", "")),
        "callbacks", "fail", "litellm_settings",
    ),
    "missing model": (
        lambda h: (h / "config.yaml").write_text((h / "config.yaml").read_text().replace("qwen2.5:14b", "qwen2.5:72b")),
        "models", "fail", "ollama pull qwen2.5:72b",
    ),
    "no ollama": (lambda h: edit_env(h, OLLAMA_BASE_URL="http://127.0.0.1:1"), "ollama", "fail", "ollama serve"),
    "no redis": (lambda h: edit_env(h, REDIS_PORT="1"), "redis", "warn", "brew services start redis"),
    "no langfuse": (lambda h: edit_env(h, LANGFUSE_HOST="http://127.0.0.1:1"), "langfuse", "warn", "aicc langfuse up"),
    "no backup": (lambda h: None, "backup", "warn", "aicc backup"),
    "older files": (
        lambda h: (h / ".installed.json").write_text('{"version": "0.0.1", "files": {}}'), "home", "warn", "aicc init --upgrade",
    ),
    "interrupted restore": (
        lambda h: (h / ".restore-in-progress").write_text('{"archive": "/x/a b.tar.gz", "kept": "/x"}'), "restore", "fail", "aicc restore '/x/a b.tar.gz'",
    ),
    "damaged records": (lambda h: (h / "usage.db").write_text("no database " * 500), "records", "fail", "aicc restore"),
    "crash": (
        lambda h: write_crash(h, CrashEvent(now_text(), 1, 139, "SIGSEGV", 5.0, 1, 0.2)), "crashes", "warn", "gateway.err.log",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("case", sorted(FAULTS))
def test_each_fault_is_found(home: Path, case: str) -> None:
    break_it, name, level, fix = FAULTS[case]
    break_it(home)
    found = look()
    assert name in found, sorted(found)
    assert found[name].level == level, found[name]
    assert fix in found[name].fix
    assert "sk-aicc-" not in json.dumps([f.found + f.fix for f in found.values()]), (
        "no key in a report people paste"
    )


ARMS = "variants: [{name: a, weight: 50}, {name: b, weight: %s, %s}]"
BAD_EXPERIMENTS = {
    "not YAML": ("experiments: [", "fail", "not valid YAML"),
    "weights": ("experiments: [{name: e, " + ARMS % (40, "system: {text: S}") + "}]", "fail", "weights sum to 90"),
    "model": ("experiments: [{name: e, " + ARMS % (50, "model: qwen-locl") + "}]", "fail", "did you mean 'qwen-local'"),
    "bytes": (b"\xff\xfe", "fail", "cannot be read"),
    "switched off": ("enabled: false\nexperiments: [{name: e, " + ARMS % (50, "") + "}]", "off", "e off (all)"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_EXPERIMENTS)
def test_experiments_yaml_is_checked(home: Path, case: str) -> None:
    text, level, words = BAD_EXPERIMENTS[case]
    (home / "experiments.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    found = look()["experiments"]
    assert (found.level, words in found.found) == (level, True), found
    assert found.fix or level == "off"


@pytest.mark.usefixtures("unhurried")
def test_prompts_of_experiments_are_asked_for(home: Path, langfuse: LangfuseStandIn) -> None:
    prompt = "system: {langfuse: {name: team/support, label: production, fallback: F}}"
    (home / "experiments.yaml").write_text("experiments: [{name: e, " + ARMS % (50, prompt) + "}]")
    edit_env(home, LANGFUSE_PUBLIC_KEY="", LANGFUSE_SECRET_KEY="")
    found = look()
    assert found["experiments"].level == "ok"
    assert "fallback is in use" in found["prompt.team/support@production"].found
    edit_env(
        home, LANGFUSE_HOST=langfuse.url, LANGFUSE_PUBLIC_KEY=langfuse.public_key, LANGFUSE_SECRET_KEY=langfuse.secret_key
    )  # fmt: skip
    missing = look()["prompt.team/support@production"]
    assert (missing.level, "no such prompt" in missing.found) == ("warn", True)
    langfuse.add_prompt("team/support", "words", 4)
    there = look()["prompt.team/support@production"]
    assert (there.level, there.found) == ("ok", "version 4")
    with langfuse.refusing():
        assert "last version" in look()["prompt.team/support@production"].found


@pytest.mark.usefixtures("unhurried")
def test_langfuse_that_refuses_keys_or_traces_or_reading(home: Path, langfuse: LangfuseStandIn) -> None:
    edit_env(
        home,
        LANGFUSE_HOST=langfuse.url,
        LANGFUSE_PUBLIC_KEY=langfuse.public_key,
        LANGFUSE_SECRET_KEY="sk-lf-wrong",
    )
    found = look()["langfuse"]
    assert found.level == "warn"
    assert "refused" in found.found


@pytest.mark.usefixtures("unhurried")
def test_a_redis_that_is_full_or_wants_a_password(home: Path, redis_server: RedisProcess) -> None:
    tool = shutil.which("redis-cli")
    assert tool is not None

    def config(*words: str) -> None:
        subprocess.run(
            [tool, "-p", str(redis_server.port), "config", "set", *words],
            check=True,
            stdout=subprocess.DEVNULL,
        )  # type: ignore[list-item]

    edit_env(home, REDIS_PORT=str(redis_server.port))
    config("maxmemory", "500kb")  # less than an empty Redis takes
    config("maxmemory-policy", "noeviction")
    try:
        assert "allkeys-lru" in look()["redis"].fix
    finally:
        config("maxmemory", "0")
    assert look()["redis"].level == "ok"


def test_a_port_taken_by_another_program_is_told_from_our_gateway(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        edit_env(home, AICC_ROUTER_PORT=str(taken.getsockname()[1]))
        found = look()["port"]
    assert found.level == "fail"
    if shutil.which("lsof"):
        assert f"pid {os.getpid()}" in found.found
    assert "--port" in found.fix
    assert "slow to answer" in found.found  # it accepts, and says nothing


def test_a_gateway_that_is_slow_to_answer_is_not_called_another_program(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        edit_env(home, AICC_ROUTER_PORT=str(port))
        code = (
            f"import time; from pathlib import Path; from aicc_hooks.ops.single import claim; "
            f"claim(Path({str(home)!r}), {port}); print('held', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as gateway:
            try:
                assert gateway.stdout is not None
                assert gateway.stdout.readline() == "held\n"
                findings = look()
            finally:
                gateway.kill()
    assert "port" not in findings
    assert findings["gateway"].level == "warn"
    assert f"(pid {gateway.pid}) is slow to answer" in findings["gateway"].found


@pytest.mark.usefixtures("unhurried")
def test_a_port_where_something_else_answers_at_once_is_another_programs(home: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        edit_env(home, AICC_ROUTER_PORT=str(other.server_port))
        found = look()["port"]
        other.shutdown()
    assert found.level == "fail"
    assert found.found.endswith("and it is not the gateway")


def test_malware_and_versions_out_of_range_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = read_context(dict(os.environ))
    real = installed.version
    for given, said in (("1.82.7", "malicious"), ("0.1.0", "needed"), ("2.0.0", "needed")):
        monkeypatch.setattr(
            installed, "version", lambda name, g=given: g if name == "litellm" else real(name)
        )
        (finding,) = [f for f in installed.packages(context) if f.level == "fail"]
        assert said in finding.found
        assert finding.fix.startswith("pip install 'litellm")
        if given == "1.82.7":
            assert "rotate every key" in finding.fix
    monkeypatch.setattr(installed, "version", lambda name: "1.999.0" if name == "litellm" else real(name))
    (doubt,) = [f for f in installed.packages(context) if f.level == "warn"]
    assert "1.999.0 was not tried" in doubt.found
    monkeypatch.setattr(installed, "version", lambda name: "5.0.0" if name == "langfuse" else real(name))
    assert [f.name for f in installed.packages(context) if f.level == "fail"] == ["package.langfuse"]


def test_broken_seams_of_a_running_gateway_fail(home: Path) -> None:
    context = Context(
        home, {}, 1, home / "config.yaml", health={"problems": {"seam.gate": "moved"}, "policy_version": "x"}
    )
    (finding,) = installed.seams(context)
    assert (finding.level, finding.name) == ("fail", "seam.gate")


def test_old_backups_and_a_clock_set_back(home: Path) -> None:
    made = backup.create(home)
    os.utime(made.path, (time.time() - 9 * 86_400,) * 2)
    assert look()["backup"].level == "warn"
    spool = Spool(home / "usage.db", RecordConfig()).start()
    later = time.time() + 7200
    spool.put(
        Record(
            id="r",
            start=later,
            end=later,
            endpoint="chat",
            requested="auto",
            route="x",
            reason="explicit",
            status=200,
        )
    )
    spool.close()
    assert "future" in look()["clock"].found


@pytest.mark.usefixtures("unhurried")
def test_context_that_the_config_promises_but_the_model_lacks(home: Path) -> None:
    path = home / "config.yaml"
    path.write_text(path.read_text().replace("max_input_tokens: 32768", "max_input_tokens: 99999999"))
    found = look()["context"]
    assert "promises 99999999" in found.found
    assert "max_input_tokens" in found.fix


def test_lan_is_said(home: Path) -> None:
    (home / "policy.yaml").write_text("lan: true\n")
    assert "lan: false" in look()["bind"].fix


@pytest.mark.live
@pytest.mark.usefixtures("unhurried")
def test_a_running_gateway_is_asked(home: Path, shared_gateway: Any) -> None:
    gateway: GatewayProcess = shared_gateway()
    edit_env(home, AICC_ROUTER_PORT=str(gateway.port))
    found = look()
    assert found["gateway"].level in ("ok", "warn")
    assert f"port {gateway.port}" in found["gateway"].found
    assert found["seams"].level == "ok", found["seams"]
    assert "port" not in found


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def tar_pits() -> Iterator[list[int]]:
    """Ports that accept and never answer."""
    sockets = []
    for _ in range(3):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(50)
        sockets.append(sock)
    yield [s.getsockname()[1] for s in sockets]
    for sock in sockets:
        sock.close()


def test_it_answers_in_time_also_when_nothing_else_does(home: Path, tar_pits: list[int]) -> None:
    edit_env(
        home, OLLAMA_BASE_URL=f"http://127.0.0.1:{tar_pits[0]}", REDIS_PORT=str(tar_pits[1]),
        LANGFUSE_HOST=f"http://127.0.0.1:{tar_pits[2]}", AICC_ROUTER_PORT=str(tar_pits[0]),
    )  # fmt: skip
    context = read_context(dict(os.environ))
    found = {f.name: f for f in run_checks(CHECKS, context, 30)}
    # Each look gave up by its own limit, well before the deadline of all.
    assert [f for f in found.values() if "when the machine is less busy" in f.found] == []
    assert found["ollama"].level == "fail"
    assert found["langfuse"].level == "warn"


def test_one_slow_and_one_broken_check_do_not_hide_the_others(home: Path) -> None:
    release = threading.Event()

    def slow(context: Context) -> Iterator[Finding]:
        release.wait(60)
        yield Finding("slow", "ok", "")

    def broken(context: Context) -> Iterator[Finding]:
        raise RuntimeError("sk-secret")
        yield Finding("never", "ok", "")

    def fine(context: Context) -> Iterator[Finding]:
        yield Finding("fine", "ok", "")

    context = read_context(dict(os.environ))
    found = run_checks({"slow": slow, "broken": broken, "fine": fine}, context, 3)
    release.set()
    assert [(f.name, f.level) for f in found] == [("slow", "warn"), ("broken", "warn"), ("fine", "ok")]
    assert "sk-secret" not in found[1].found


def test_exit_codes() -> None:
    ok, off = Finding("a", "ok", ""), Finding("b", "off", "")
    warn, fail = Finding("c", "warn", ""), Finding("d", "fail", "")
    assert [exit_code(f) for f in ([ok, off], [ok, warn], [warn, fail])] == [0, 1, 2]


def test_the_command_prints_lines_or_json_and_sets_the_exit_code(home: Path) -> None:
    shutil.rmtree(home / "backups")
    (home / ".env").chmod(0o644)
    done = subprocess.run([AICC, "doctor", "--json"], capture_output=True, text=True, env={**os.environ})
    findings = json.loads(done.stdout)
    assert done.returncode == 2
    assert set(findings[0]) == {"name", "level", "found", "fix"}
    lines = CliRunner().invoke(group, ["doctor"])
    assert lines.exit_code == 2
    assert "FAIL permissions" in lines.output
    assert "→ chmod 600" in lines.output


def test_no_check_writes_into_the_folder(home: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in home.rglob("*")}
    look()
    assert {p: p.stat().st_mtime_ns for p in home.rglob("*")} == before
    assert running.ask_gateway(1) is None
    assert list(machine.proxies(read_context({"AICC_HOME": str(home)}))) is not None


def test_memory_advice_counts_the_caches_ollama_tells_of(
    home: Path, ollama: OllamaStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aicc_hooks.commands.init import _models
    from aicc_hooks.ops.doctor import services

    ram = 32 * 1024**3
    monkeypatch.setattr(services, "total_ram", lambda: ram)
    here = Machine(ollama.url, ollama_models(ollama.url), "", "", ram)
    context = read_context(dict(os.environ))

    def advice() -> tuple[str, str]:
        said = {f.name: f for f in services.ollama(context)}["memory"].found
        (line,) = [line for line in _models(home, here, dict(context.env)) if "fit together" in line]
        return said, line

    before, line = advice()
    assert line == before
    assert not before.startswith("1 of")
    # A cache of 8 GiB, as much as the policy's budget lets it be.
    shape = {"block_count": 384, "attention.head_count": 6, "attention.key_length": 128}
    ollama.models["qwen2.5:14b"].shape = shape
    after, line = advice()
    assert line == after
    assert after.startswith("1 of")


def test_a_deep_look_reloads_no_model(home: Path, ollama: OllamaStub) -> None:
    from aicc_hooks.ops.doctor.run import _answers

    context = read_context(dict(os.environ))

    async def running() -> None:
        client = OllamaClient(ollama.url)
        await client.warm_up("qwen2.5:14b", num_ctx=16384)
        await client.aclose()

    ollama.unload()
    asyncio.run(running())
    before = len(ollama.memory.loads)
    for model in ("qwen2.5:14b", "llama3.2"):
        assert asyncio.run(_answers(context, "group", f"ollama_chat/{model}", ollama.url)).level == "ok"
    # The one that ran goes on with its size, the other gets the one that requests will use.
    assert ollama.memory.loads[before:] == [("llama3.2:latest", 8192)]


@pytest.mark.live
def test_deep_tests_the_seams_and_asks_the_models(home: Path, ollama: OllamaStub) -> None:
    from aicc_hooks.ops.doctor.run import examine_deeply

    found = {f.name: f for f in examine_deeply(read_context(dict(os.environ)))}
    assert found["seams"].level == "ok", found["seams"]
    assert {"answer.qwen-local", "answer.deepseek-local", "answer.llama-fast"} <= set(found)
    assert all(f.level == "ok" for f in found.values()), found
    assert not (home / "usage.db").exists(), "its own folder, not the user's"
