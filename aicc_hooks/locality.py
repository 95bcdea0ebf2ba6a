"""Is an address on this machine? Names are resolved: one that points elsewhere is not local."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str], list[str]]

_TTL_S = 30.0
_KEPT = 512  # hosts
_RESOLVE_TIMEOUT_S = 1.0


def _resolve(host: str) -> list[str]:
    return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})


class Locality:
    """Answers from a cache of 30 s. Anything unclear (no host, no answer from DNS) is not local.

    `hosts`: names, addresses and networks of policy `local_hosts`. A listed name counts when none
    of its addresses is public; an unlisted name counts when all of its addresses are listed.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        resolver: Resolver = _resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for entry in hosts:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(entry.lower().rstrip("."))
        self._resolver = resolver
        self._clock = clock
        self._cache: dict[str, tuple[float, bool]] = {}

    def cached(self, url: str) -> bool | None:
        """The last answer while it is fresh, else None. Never blocks."""
        entry = self._cache.get(host_of(url))
        if entry is None or self._clock() - entry[0] > _TTL_S:
            return None
        return entry[1]

    def check(self, url: str) -> bool:
        """True when `url` (or bare host) is on this machine. May block on DNS: call off the loop."""
        known = self.cached(url)
        if known is not None:
            return known
        host = host_of(url)
        answer = self._decide(host)
        if len(self._cache) >= _KEPT:  # a redirect or a picture may name any host
            self._cache.clear()
        self._cache[host] = (self._clock(), answer)
        return answer

    async def acheck(self, url: str) -> bool:
        """`check` without blocking the loop; a name that takes over a second is not local."""
        known = self.cached(url)
        if known is not None:
            return known
        literal = _as_address(host_of(url))
        if literal is not None:
            return self.check(url)
        try:
            return await asyncio.wait_for(asyncio.to_thread(self.check, url), _RESOLVE_TIMEOUT_S)
        except TimeoutError:
            return False

    def _decide(self, host: str) -> bool:
        if not host:
            return False
        literal = _as_address(host)
        if literal is not None:
            return self._listed(literal)
        try:
            addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in self._resolver(host)]
        except (OSError, UnicodeError, ValueError):
            # RFC 6761: localhost is loopback whatever the resolver says.
            return host == "localhost" and "localhost" in self._names
        if not addresses:
            return False
        if host in self._names:
            return not any(_unmap(address).is_global for address in addresses)
        return all(self._listed(address) for address in addresses)

    def _listed(self, address: Address) -> bool:
        plain = _unmap(address)
        return any(plain.version == network.version and plain in network for network in self._networks)


def is_loopback(host: str) -> bool:
    """`localhost`, or a literal address of loopback; no name is resolved."""
    literal = _as_address(host.strip("[]"))
    return host == "localhost" if literal is None else _unmap(literal).is_loopback


def host_of(url: str) -> str:
    """Lower-case host of a URL or `host[:port]`, without brackets; "" when there is none."""
    text = url.strip()
    if any(c in "\\\t\r\n " or c < " " for c in text):
        return ""  # parsers disagree about the host of such an address
    if "://" not in text:
        text = "//" + text
    try:
        return (urlsplit(text).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _unmap(address: Address) -> Address:
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address
