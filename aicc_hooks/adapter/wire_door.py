"""The door at the wire: what an HTTP client sends for a private request goes to this machine, directly.

The last door before an attempt judges the address LiteLLM was given. Behind it a server may answer with a redirect, a
proxy of the environment may stand between, or LiteLLM may fetch a picture from an address of the client's.
"""

from __future__ import annotations

import functools
import os
import urllib.request
from collections.abc import Iterable, MutableMapping
from typing import Any, Final

import httpcore
import httpx
import litellm
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

from aicc_hooks.adapter import calls
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.refusals import passed_on
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.locality import is_loopback

_CLIENTS: Final = (httpx.Client, httpx.AsyncClient)
_PROXIES: Final = (
    httpcore.HTTPProxy,
    httpcore.SOCKSProxy,
    httpcore.AsyncHTTPProxy,
    httpcore.AsyncSOCKSProxy,
)
_OURS: Final = "aicc_wire_door"


def install(runtime: Runtime) -> None:
    """Stand in every httpx client of the process, LiteLLM's and the provider libraries'. Raises AttributeError when httpx moved."""
    if in_place():
        return
    whole, awaited = httpx.Client._send_single_request, httpx.AsyncClient._send_single_request
    proxy_of = LiteLLMAiohttpTransport._proxy_from_env

    @functools.wraps(whole)
    def send(self: httpx.Client, request: httpx.Request) -> httpx.Response:
        call = _private(runtime)
        if call is not None and (
            not runtime.locality.check(_host(request.url)) or _by_proxy(self, request.url)
        ):
            raise _refused(runtime, call, request)
        return whole(self, request)

    @functools.wraps(awaited)
    async def asend(self: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        call = _private(runtime)
        if call is not None and (
            not await runtime.locality.acheck(_host(request.url)) or _by_proxy(self, request.url)
        ):
            raise _refused(runtime, call, request)
        return await awaited(self, request)

    @functools.wraps(proxy_of)
    def direct(self: LiteLLMAiohttpTransport, url: httpx.URL) -> str | None:
        """LiteLLM asks the environment's proxy, on a Mac the system's too, for localhost as for any host (1.106.2)."""
        here = runtime.locality.cached(_host(url))
        return None if here or (here is None and is_loopback(url.host)) else proxy_of(self, url)

    setattr(send, _OURS, True)
    setattr(asend, _OURS, True)
    httpx.Client._send_single_request = send  # type: ignore[method-assign]
    httpx.AsyncClient._send_single_request = asend  # type: ignore[method-assign]
    LiteLLMAiohttpTransport._proxy_from_env = direct


def in_place() -> bool:
    """Whether every httpx client of this process has the door."""
    return all(hasattr(client._send_single_request, _OURS) for client in _CLIENTS)


def spare_local_hosts(env: MutableMapping[str, str], hosts: Iterable[str]) -> None:
    """Name hosts of this machine in NO_PROXY where a proxy is set, for clients that read it themselves."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    if not any(env.get(name) or env.get(name.upper()) for name in names):
        return
    wanted = [host for host in ("localhost", "127.0.0.1", "::1", *hosts) if "/" not in host]
    for name in ("no_proxy", "NO_PROXY"):
        given = [part.strip() for part in env.get(name, "").split(",") if part.strip()]
        if "*" not in given:
            env[name] = ",".join(dict.fromkeys([*given, *wanted]))


def _private(runtime: Runtime) -> Call | None:
    """The private call of this context, if its bytes are watched.

    Where the owner allows other loggers to see everything, they may send it too: then while an attempt runs.
    """
    call = calls.current()
    if call is None or not call.local_only:
        return None
    if runtime.known_leaks and not any(not attempt.ended for attempt in call.attempts):
        return None
    return call


def _by_proxy(client: Any, url: httpx.URL) -> bool:
    transport = client._transport_for_url(url)
    if isinstance(transport, LiteLLMAiohttpTransport):
        # `direct` sends it without; a session that reads the environment itself would not ask.
        trusting = litellm.aiohttp_trust_env or os.environ.get("AIOHTTP_TRUST_ENV", "").lower() == "true"
        return trusting and _environment_has_one(url)
    return isinstance(getattr(transport, "_pool", None), _PROXIES)


def _environment_has_one(url: httpx.URL) -> bool:
    proxies = urllib.request.getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not urllib.request.proxy_bypass(url.host)


def _host(url: httpx.URL) -> str:
    return f"[{url.host}]" if ":" in url.host else url.host


def _refused(runtime: Runtime, call: Call, request: httpx.Request) -> httpx.ConnectError:
    runtime.counters["private_stopped_at_wire"] += 1
    call.refusal = passed_on()
    error = httpx.ConnectError("not on this machine", request=request)
    error.__cause__ = call.refusal  # so the failure counts against no server
    return error
