"""What kind of failure an exception, status or error text is: the breaker's and the retry's only input.

Works on class names, status codes and message patterns, because the same refused connection arrives as
`httpx.ConnectError`, `aiohttp.ClientConnectorError` or LiteLLM's `APIConnectionError`, depending on the route.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Collection
from enum import StrEnum

from aicc_hooks.errors import Refusal


class Outcome(StrEnum):
    """How one attempt at an upstream ended."""

    OK = "ok"
    REFUSED = "refused"  # nobody listens, or the name does not resolve: the whole address is away
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"  # 5xx, or the connection broke
    OOM = "oom"  # the model does not fit in memory now
    GARBAGE = "garbage"  # an answer that is no answer: not JSON, wrong shape
    LOADING = "loading"  # alive and busy: never a failure
    CLIENT_ERROR = "client_error"  # the request's own fault: a 4xx, or a 500 of which the words say so
    CANCELLED = "cancelled"  # the client hung up


FAILURES = frozenset({Outcome.REFUSED, Outcome.TIMEOUT, Outcome.SERVER_ERROR, Outcome.OOM, Outcome.GARBAGE})
"""Kinds that count against an upstream. The others never do."""

# Ollama answers 404 for a model that was never pulled, a cloud provider 429 for its own limit: neither is the
# request's doing (the gate refuses unknown names before), and another deployment helps.
_NOT_THE_REQUEST = re.compile(
    r"try pulling|model ['\"]?[^\s'\"]{1,200}['\"]? not found|model ['\"]?[^\s'\"]{1,200}['\"]? does not exist"
)
_CANCELLED_NAMES = frozenset({"CancelledError", "ClientDisconnect", "ClientDisconnected", "GeneratorExit"})
_REFUSED_NAMES = frozenset(
    {"ConnectionRefusedError", "ClientConnectorError", "ClientConnectorDNSError", "gaierror"}
)
_TIMEOUT_NAMES = frozenset(
    {
        "TimeoutError",
        "Timeout",
        "ReadTimeout",
        "WriteTimeout",
        "PoolTimeout",
        "APITimeoutError",
        "ServerTimeoutError",
        "SocketTimeoutError",
        "ConnectTimeout",
        "ConnectionTimeoutError",
    }
)
_GARBAGE_NAMES = frozenset({"JSONDecodeError", "RemoteProtocolError", "APIResponseValidationError", "DecodingError", "ContentTypeError", "ClientPayloadError", "BadHttpMessage", "TransferEncodingError", "OllamaGarbage"})  # fmt: skip

# Only an answer says so: Ollama tells of its own connection to the process that runs a model (llm/server.go).
_ANSWERED = re.compile(
    r"dial tcp|health resp|post predict|do embedding request|waiting for llama runner|ended the stream with an error"
)
# Order matters: why a runner died stands behind the words that it did.
_TEXT: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
    (
        # Ollama and llama.cpp answer 500 to these, and every other model of theirs would too.
        Outcome.CLIENT_ERROR,
        re.compile(
            r"option \S{1,60} must be of (?:type|an array)|invalid format: |invalid json schema in format|failed to parse grammar"
            r"|too large to process|larger than the max(?:imum)? context|exceeds the context length"
            r"|illegal base64 data|image: unknown format"
        ),
    ),
    (
        Outcome.OOM,
        re.compile(
            r"more system memory|out.?of.?(?:device.?)?memory|(?:insufficient|not enough) memory|failed to allocate"
            r"|unable to allocate|allocation failed|malloc failed|memory layout cannot be allocated|load full model on gpu"
            r"|model requires more|exceed.{0,20}(?:process|memory) limit"
        ),
    ),
    (
        Outcome.LOADING,
        re.compile(
            r"(?<!error )loading model|model is loading|llm server loading|currently loading|model.{0,40}is still loading"
        ),
    ),
    (Outcome.SERVER_ERROR, _ANSWERED),
    (
        Outcome.REFUSED,
        re.compile(
            r"connection refused|connect call failed|cannot connect to host|name or service not known|nodename nor servname"
            r"|no route to host|network is unreachable|all connection attempts failed|temporary failure in name resolution"
        ),
    ),
    (Outcome.TIMEOUT, re.compile(r"timed? ?out|timeout on reading|deadline exceeded")),
    (
        Outcome.GARBAGE,
        re.compile(
            r"expecting value|unterminated string|invalid json|not valid json|jsondecodeerror|peer closed connection"
            r"|incomplete chunked read|malformed|unexpected (?:content|response)|illegal status line|unable to parse"
        ),
    ),
    (
        Outcome.SERVER_ERROR,
        re.compile(
            r"server disconnected|connection reset|connection aborted|broken pipe|connection closed|runner process"
            r"|server busy|internal server error|bad gateway|service unavailable|end of file|\beof\b"
        ),
    ),
)
_NOT_REFUSED = frozenset(Outcome) - {Outcome.REFUSED}
_COUNTED = "_aicc_counted"
_MAX_TEXT = 4096  # error bodies can be whole HTML pages


def classify(
    error: BaseException | None = None, *, status: int | None = None, text: str = "", loading: bool = False
) -> Outcome:
    """The kind of one finished attempt. With nothing but a 2xx (or nothing at all) it is `ok`.

    `text` is an error body or message; it is searched and not kept. `loading`: the model was not in memory
    when the attempt began, so that running out of time says nothing about the upstream.
    """
    if error is not None:
        kind = _of_exception(error, status, text)
        return Outcome.LOADING if loading and kind is Outcome.TIMEOUT else kind
    if status is not None and status < 400 and not text:
        return Outcome.OK
    if status is None and not text:
        return Outcome.OK
    return _of_status(status, text, answered=status is not None)


def counted(error: BaseException) -> None:
    """Mark an error as one attempt's, so that it is not taken for what the next attempt met."""
    with contextlib.suppress(AttributeError):
        setattr(error, _COUNTED, True)


def raised_on_the_way(error: BaseException) -> bool:
    """Whether nothing but LiteLLM's own code failed: a plain Python error, no connection, no answer of a server."""
    inner = [link for link in _chain(error) if not type(link).__module__.startswith("litellm.")]
    return bool(inner) and all(
        type(link).__module__ == "builtins" and not isinstance(link, OSError) for link in inner
    )


def _of_exception(error: BaseException, status: int | None, text: str) -> Outcome:
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        return Outcome.CANCELLED
    chain = _chain(error)
    for link in chain:
        name = type(link).__name__
        if isinstance(link, TimeoutError):
            break  # a time limit cancels what it limits: the CancelledError below is not the client's
        if name in _CANCELLED_NAMES:
            return Outcome.CANCELLED
        if isinstance(link, Refusal):
            return Outcome.CLIENT_ERROR  # our own answer: no upstream was asked
        if isinstance(link, ConnectionRefusedError) or name in _REFUSED_NAMES:
            return Outcome.REFUSED
    if status is None:
        status = next((s for s in map(_status_of, chain) if s is not None), None)
    words = f"{text} {' '.join(map(_words, chain))}"
    names = {type(link).__name__ for link in chain}
    # Who sent an answer is there: a refused connection it tells of is its own, to the process of one model.
    answered = _is_answer(chain[-1]) or _ANSWERED.search(words[:_MAX_TEXT].lower()) is not None
    if status is not None and 400 <= status < 500:
        return _of_status(status, words, answered=answered)
    told = {Outcome.CLIENT_ERROR, Outcome.LOADING, Outcome.OOM}
    plain = _of_text(words, told if answered else told | {Outcome.REFUSED})
    if plain is not None:
        return plain
    if names & _TIMEOUT_NAMES:
        # Nothing accepted the connection in time: the address, not the model, is away.
        return Outcome.REFUSED if names & {"ConnectTimeout", "ConnectionTimeoutError"} else Outcome.TIMEOUT
    if names & _GARBAGE_NAMES and "disconnected without" not in words:
        return Outcome.GARBAGE
    if "ConnectError" in names:
        # LiteLLM's aiohttp transport reports a connection cut in use as ConnectError too (aiohttp_transport.py:56).
        return Outcome.SERVER_ERROR if _of_text(words, {Outcome.SERVER_ERROR}) else Outcome.REFUSED
    if status is None and not _of_text(words):
        return Outcome.SERVER_ERROR
    return _of_status(status, words, answered=answered)


def _of_status(status: int | None, text: str, *, answered: bool) -> Outcome:
    found = _of_text(text, _NOT_REFUSED if answered else None)
    if status == 499:
        return Outcome.CANCELLED
    if status in (408, 504):
        # LiteLLM reports an upstream read timeout as 408: not the client's doing.
        return found if found in (Outcome.REFUSED, Outcome.LOADING, Outcome.OOM) else Outcome.TIMEOUT
    if status is not None and 400 <= status < 500:
        # 401, 402: the key of config.yaml or its credit. The client's own key is the gate's matter.
        ours = status in (401, 402, 429) or (
            status == 404 and _NOT_THE_REQUEST.search(text[:_MAX_TEXT].lower())
        )
        return Outcome.SERVER_ERROR if ours else Outcome.CLIENT_ERROR
    if status is not None and status < 400:
        return found if found in (Outcome.OOM, Outcome.LOADING) else Outcome.GARBAGE if text else Outcome.OK
    return found or Outcome.SERVER_ERROR


def _of_text(text: str, wanted: Collection[Outcome] | None = None) -> Outcome | None:
    low = text[:_MAX_TEXT].lower()
    if not low:
        return None
    for kind, pattern in _TEXT:
        if (wanted is None or kind in wanted) and pattern.search(low):
            return kind
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """The exception and what caused it, at most eight links (a cycle must not hang us).

    It ends at an HTTP answer, and before an error that was `counted`: what stands behind is an earlier try, of the HTTP
    client or of another model. LiteLLM asks the next one inside its `except`.
    """
    links: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and len(links) < 8 and current not in links:
        if links and hasattr(current, _COUNTED):
            break
        links.append(current)
        if _is_answer(current):
            break
        inner = getattr(current, "original_exception", None)  # LiteLLM keeps the cause here on fallbacks
        context = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or context or (inner if isinstance(inner, BaseException) else None)
    return links


def _words(error: BaseException) -> str:
    """What it says, without the traceback that LiteLLM puts behind it: that tells of earlier tries as well."""
    text = str(error)
    if type(error).__module__ == "litellm.exceptions":
        text = text.partition("\nTraceback (most recent call last)")[0]
    return text[:_MAX_TEXT]


def _is_answer(error: BaseException) -> bool:
    """Whether it holds an HTTP answer. LiteLLM's own are openai's children, even where nobody answered."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    ours = type(error).__module__.startswith("litellm.")
    return bool(kinds & {"HTTPStatusError", "ClientResponseError"}) or (
        "APIStatusError" in kinds and not ours
    )


def _status_of(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600:
                return value
    return None
