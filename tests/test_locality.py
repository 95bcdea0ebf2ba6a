"""Only an address on this machine is local; whatever is unclear is not."""

from __future__ import annotations

import asyncio
import time

import pytest

from aicc_hooks.locality import Locality, host_of
from aicc_hooks.policy.schema import LOOPBACK_HOSTS

DNS = {
    "localhost": ["127.0.0.1", "::1"],
    "evil.example": ["93.184.216.34"],
    "rebind.example": ["127.0.0.1"],
    "half.example": ["127.0.0.1", "93.184.216.34"],
    "mac-studio.lan": ["192.168.1.20"],
    "moved.lan": ["93.184.216.34"],
    "half.lan": ["192.168.1.20", "93.184.216.34"],
    "mapped.example": ["::ffff:93.184.216.34"],
    "scoped.lan": ["fe80::1%en0"],
    "empty.example": [],
    "2130706433": ["127.0.0.1"],
    "0x08080808": ["8.8.8.8"],
    "garbage.example": ["not an address"],
}


def resolve(host: str) -> list[str]:
    if host not in DNS:
        raise OSError("no such host")
    return DNS[host]


def locality(*hosts: str) -> Locality:
    return Locality(hosts or LOOPBACK_HOSTS, resolver=resolve)


CASES = [
    ("http://localhost:11434", True),
    ("http://LOCALHOST:11434/v1", True),
    ("http://localhost.:11434", True),
    ("localhost:11434", True),
    ("localhost", True),
    ("http://127.0.0.1:11434", True),
    ("http://127.3.2.1", True),
    ("http://[::1]:11434", True),
    ("http://[::ffff:127.0.0.1]", True),
    ("http://2130706433/", True),  # inet_aton's way to write 127.0.0.1
    ("http://rebind.example", True),  # what is asked now is on this machine; the deployment hook asks again
    ("", False),
    ("http://", False),
    ("http:///v1", False),
    ("https://api.openai.com", False),
    ("http://evil.example", False),
    ("http://half.example", False),
    ("http://mapped.example", False),
    ("http://empty.example", False),
    ("http://garbage.example", False),
    ("http://mac-studio.lan", False),
    ("http://0x08080808", False),
    ("http://8.8.8.8", False),
    ("http://[::ffff:8.8.8.8]", False),
    ("http://[64:ff9b::7f00:1]", False),
    ("http://0.0.0.0:11434", False),
    ("http://[::]:11434", False),
    ("http://128.0.0.1", False),
    ("http://127.0.0.1.evil.example", False),
    ("http://localhost@evil.example", False),
    ("http://localhost:11434@evil.example", False),
    ("http://evil.example#@localhost", False),
    ("http://evil.example?@localhost", False),
    ("http://evil.example/@localhost", False),
    ("http://evil.example\\@localhost/", False),
    ("http://evil.example\t@localhost/", False),
    ("http://local\nhost/", False),
    ("http://[::1", False),
    ("http://[localhost]", False),
    ("unix:///run/x.sock", False),
    ("in-process", False),  # known by its own constant, never by a lookup
    ("http://" + "a" * 300, False),
]


@pytest.mark.parametrize(("url", "local"), CASES)
def test_by_default_only_loopback_is_local(url: str, local: bool) -> None:
    assert locality().check(url) is local
    assert asyncio.run(locality().acheck(url)) is local


@pytest.mark.parametrize(
    ("hosts", "url", "local"),
    [
        (["mac-studio.lan"], "http://mac-studio.lan:11434", True),
        (["MAC-Studio.lan."], "http://mac-studio.LAN", True),
        (["moved.lan"], "http://moved.lan", False),  # listed, but points to the internet
        (["half.lan"], "http://half.lan", False),
        (["scoped.lan"], "http://scoped.lan", True),
        (["192.168.1.0/24"], "http://192.168.1.20", True),
        (["192.168.1.0/24"], "http://mac-studio.lan", True),
        (["192.168.1.0/24"], "http://192.168.2.20", False),
        (["192.168.1.0/24"], "http://localhost", False),  # the list is the list
        (["[::1]"], "http://[::1]:1", True),
        (["192.168.1.20/24"], "http://192.168.1.9", True),
        (["gone.lan"], "http://gone.lan", False),
    ],
)
def test_the_owners_list(hosts: list[str], url: str, local: bool) -> None:
    assert locality(*hosts).check(url) is local


def test_localhost_needs_no_resolver() -> None:
    def broken(host: str) -> list[str]:
        raise OSError("no resolver")

    assert Locality(["localhost"], resolver=broken).check("http://localhost") is True
    assert Locality(["mac.lan"], resolver=broken).check("http://localhost") is False
    assert Locality(["mac.lan"], resolver=broken).check("http://mac.lan") is False


def test_an_answer_ages_after_thirty_seconds() -> None:
    now, answers = [0.0], [["127.0.0.1"]]
    places = Locality(LOOPBACK_HOSTS, resolver=lambda host: answers[0], clock=lambda: now[0])
    assert places.cached("http://a.example") is None
    assert places.check("http://a.example") is True
    answers[0] = ["93.184.216.34"]
    now[0] = 29.0
    assert places.check("http://a.example") is True
    now[0] = 31.0
    assert places.cached("http://a.example") is None
    assert places.check("http://a.example") is False


def test_a_slow_resolver_neither_blocks_the_loop_nor_counts_as_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aicc_hooks.locality._RESOLVE_TIMEOUT_S", 0.3)

    def slow(host: str) -> list[str]:
        time.sleep(1)
        return ["127.0.0.1"]

    async def run() -> tuple[bool, int]:
        beats = 0
        task = asyncio.create_task(Locality(LOOPBACK_HOSTS, resolver=slow).acheck("http://slow.example"))
        while not task.done():
            beats += 1
            await asyncio.sleep(0.005)
        return task.result(), beats

    answer, beats = asyncio.run(run())
    assert answer is False
    assert beats >= 3


def test_host_of_takes_urls_and_bare_hosts() -> None:
    assert host_of("HTTP://User:Pw@Host.Example:80/x") == "host.example"
    assert host_of("host:80") == "host"
    assert host_of("[::1]:80") == "::1"
