"""Prompts managed in Langfuse: fetched off the request path, kept in memory, the fallback until then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from aicc_hooks.experiments.schema import MAX_CHARS, LangfusePrompt

log = logging.getLogger("aicc_hooks")
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ManagedPrompt:
    """A prompt text with its version in Langfuse; version 0: the fallback."""

    text: str
    version: int


class PromptError(Exception):
    """A prompt could not be fetched; the message names the reason, never the text."""


Fetch = Callable[[LangfusePrompt], ManagedPrompt]


def langfuse_fetch(host: str, public_key: str, secret_key: str, *, timeout_s: float = _TIMEOUT_S) -> Fetch:
    """A fetcher over the API client of Langfuse's SDK. Blocking: `PromptCache` calls it from a thread.

    Not `Langfuse(...).get_prompt`: with `tracing_enabled=False` 4.18 still starts three threads (media, scores,
    prompts) with exit hooks, becomes the process's client for that key, logs what the server says, and answers
    from its own cache without telling whether Langfuse still does. The import costs 0.1 s of CPU: only when asked.
    """
    if not host.startswith(("http://", "https://")):

        def refuse(_: LangfusePrompt) -> ManagedPrompt:
            raise PromptError("LANGFUSE_HOST must start with http:// or https://")

        return refuse
    local = urlsplit(host).hostname in ("localhost", "127.0.0.1", "::1")

    def fetch(wanted: LangfusePrompt) -> ManagedPrompt:
        from langfuse.api import LangfuseAPI
        from langfuse.api.core.api_error import ApiError

        try:
            # A proxy set for the internet must not see traffic to this machine.
            with httpx.Client(timeout=timeout_s, trust_env=not local) as connection:
                api = LangfuseAPI(
                    base_url=host.rstrip("/"), username=public_key, password=secret_key, timeout=timeout_s,
                    x_langfuse_sdk_name="python", x_langfuse_public_key=public_key, httpx_client=connection,
                )  # fmt: skip
                found = api.prompts.get(
                    quote(wanted.name, safe=""),
                    version=wanted.version,
                    label=None if wanted.version is not None else wanted.label or "production",
                    request_options={"timeout_in_seconds": timeout_s, "max_retries": 0},
                )
        except ApiError as error:
            raise PromptError(_refused(error.status_code)) from None
        except httpx.HTTPError as error:
            raise PromptError(f"Langfuse cannot be reached ({type(error).__name__})") from None
        except ValueError:  # pydantic's and JSON's errors; their text would quote the prompt
            raise PromptError("the answer cannot be read as a prompt of Langfuse") from None
        return _read(found)

    return fetch


def _refused(status: int | None) -> str:
    if status == 404:
        return "Langfuse has no such prompt, or not with this label or version"
    if status in (401, 403):
        return "Langfuse refuses the keys: check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    return f"Langfuse answered {status}"


def _read(found: Any) -> ManagedPrompt:
    prompt = found.prompt
    if isinstance(
        prompt, list
    ):  # a chat prompt: its system messages; placeholders have neither role nor content
        parts = [
            getattr(m, "content", None) for m in prompt if getattr(m, "role", None) in ("system", "developer")
        ]
        prompt = "\n\n".join(p for p in parts if isinstance(p, str))
    if not isinstance(prompt, str) or not prompt.strip() or found.version < 1:
        raise PromptError("the prompt holds no system text")
    if len(prompt) > MAX_CHARS:
        raise PromptError(f"the prompt is longer than {MAX_CHARS:,} characters")
    # Half a character, which JSON can hold, could not be sent on.
    return ManagedPrompt(prompt.encode("utf-8", "replace").decode(), found.version)


class PromptCache:
    """The last good text of every wanted prompt. `get` never blocks; `refresh` does and belongs on a thread."""

    def __init__(self, fetch: Fetch | None, *, every_s: float = 60.0) -> None:
        self._fetch = fetch
        self._every_s = every_s
        self._wanted: dict[LangfusePrompt, float] = {}  # prompt → when to ask again (monotonic)
        self._have: dict[LangfusePrompt, ManagedPrompt] = {}
        self._lock = threading.Lock()
        self.errors: dict[str, str] = {}  # prompt address → what is wrong; shown in health

    def want(self, prompts: set[LangfusePrompt], *, every_s: float | None = None) -> None:
        """Replace the set of prompts to keep fresh, and how often each is asked for."""
        with self._lock:
            if every_s is not None and every_s != self._every_s:
                self._every_s, self._wanted = every_s, {}
            self._wanted = {p: self._wanted.get(p, 0.0) for p in prompts}
            self._have = {p: text for p, text in self._have.items() if p in prompts}
            addresses = {p.address for p in prompts}
            self.errors = {address: why for address, why in self.errors.items() if address in addresses}

    def get(self, prompt: LangfusePrompt) -> ManagedPrompt:
        """The text in force; version 0 means the fallback."""
        return self._have.get(prompt) or ManagedPrompt(prompt.fallback, 0)

    def refresh(self) -> None:
        """Ask Langfuse for what is due. A failure keeps the last good text."""
        now = time.monotonic()
        for prompt in [p for p, due in self._wanted.items() if due <= now]:
            try:
                if self._fetch is None:
                    raise PromptError("LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set")
                found = self._fetch(prompt)
            except PromptError as error:
                self._failed(prompt, str(error))
            except Exception as error:  # whatever the SDK does: the other prompts are still asked for
                self._failed(prompt, f"Langfuse's SDK failed ({type(error).__name__})")
            else:
                with self._lock:
                    self.errors.pop(prompt.address, None)
                    if prompt in self._wanted:
                        before, self._have[prompt] = self._have.get(prompt), found
                        if before != found:
                            log.info("prompt %s: version %d in force", prompt.address, found.version)
            with self._lock:
                if prompt in self._wanted:
                    self._wanted[prompt] = now + self._every_s

    def _failed(self, prompt: LangfusePrompt, why: str) -> None:
        kept = self._have.get(prompt)
        why = f"{why}; {f'version {kept.version} stays in force' if kept else 'the fallback is in use'}"
        with self._lock:
            if prompt not in self._wanted:
                return
            known, self.errors[prompt.address] = self.errors.get(prompt.address), why
        if known != why:
            log.warning("prompt %s: %s", prompt.address, why)
