"""Prompts managed in Langfuse: fetched off the request path, kept in memory, the fallback until then."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from aicc_hooks.experiments.schema import LangfusePrompt

log = logging.getLogger("aicc_hooks")
_TIMEOUT_S = 5.0
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ManagedPrompt:
    """A prompt text with its version in Langfuse."""

    text: str
    version: int


class PromptError(Exception):
    """A prompt could not be fetched; the message names the reason, never the text."""


Fetch = Callable[[LangfusePrompt], ManagedPrompt]


def langfuse_fetch(host: str, public_key: str, secret_key: str) -> Fetch:
    """A fetcher over Langfuse's public API. Blocking: `PromptCache` calls it from a thread."""
    token = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()

    def fetch(wanted: LangfusePrompt) -> ManagedPrompt:
        query = (
            {"version": str(wanted.version)}
            if wanted.version is not None
            else {"label": wanted.label or "production"}
        )
        url = f"{host.rstrip('/')}/api/public/v2/prompts/{urllib.parse.quote(wanted.name, safe='')}?{urllib.parse.urlencode(query)}"
        if not url.startswith(("http://", "https://")):
            raise PromptError("the Langfuse address is not an http(s) URL")
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                tree = json.loads(answer.read(_MAX_BYTES))
        except urllib.error.HTTPError as error:
            raise PromptError(f"Langfuse answered {error.code}") from None
        except (OSError, ValueError) as error:
            raise PromptError(f"Langfuse cannot be reached ({type(error).__name__})") from None
        return _read(tree)

    return fetch


def _read(tree: object) -> ManagedPrompt:
    prompt = tree.get("prompt") if isinstance(tree, dict) else None
    version = tree.get("version") if isinstance(tree, dict) else None
    if isinstance(prompt, list):  # a chat prompt: its system messages
        parts = [m.get("content") for m in prompt if isinstance(m, dict) and m.get("role") == "system"]
        prompt = "\n\n".join(p for p in parts if isinstance(p, str))
    if not isinstance(prompt, str) or not prompt or not isinstance(version, int):
        raise PromptError("the prompt holds no system text")
    return ManagedPrompt(prompt, version)


class PromptCache:
    """The last good text of every wanted prompt. `get` never blocks; `refresh` does and belongs on a thread."""

    def __init__(self, fetch: Fetch | None, *, every_s: float = 60.0) -> None:
        self._fetch = fetch
        self._every_s = every_s
        self._wanted: dict[LangfusePrompt, float] = {}  # prompt → when to ask again (monotonic)
        self._have: dict[LangfusePrompt, ManagedPrompt] = {}
        self._lock = threading.Lock()
        self.errors: dict[str, str] = {}  # prompt name → what is wrong; shown in health

    def want(self, prompts: set[LangfusePrompt]) -> None:
        """Replace the set of prompts to keep fresh."""
        with self._lock:
            self._wanted = {p: self._wanted.get(p, 0.0) for p in prompts}
            self._have = {p: text for p, text in self._have.items() if p in prompts}
            self.errors = {
                name: why for name, why in self.errors.items() if name in {p.name for p in prompts}
            }

    def get(self, prompt: LangfusePrompt) -> ManagedPrompt:
        """The text in force; version 0 means the fallback."""
        return self._have.get(prompt) or ManagedPrompt(prompt.fallback, 0)

    def refresh(self) -> None:
        """Ask Langfuse for what is due. A failure keeps the last good text."""
        if self._fetch is None:
            self.errors = dict.fromkeys(
                (p.name for p in self._wanted), "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set"
            )
            return
        now = time.monotonic()
        for prompt in [p for p, due in self._wanted.items() if due <= now]:
            try:
                found = self._fetch(prompt)
            except PromptError as error:
                if self.errors.get(prompt.name) != str(error):
                    log.warning("prompt %s: %s; the last good text or the fallback stays", prompt.name, error)
                self.errors[prompt.name] = str(error)
            else:
                self.errors.pop(prompt.name, None)
                with self._lock:
                    if prompt in self._wanted:
                        self._have[prompt] = found
            with self._lock:
                if prompt in self._wanted:
                    self._wanted[prompt] = now + self._every_s
