"""Cleans what other people's loggers print: LiteLLM, uvicorn and the root handlers.

A provider that echoes the prompt in its error ends in LiteLLM's log as free text. No detector can
clean arbitrary prose, so a foreign line is first cut down to a known shape, and only then redacted:

  LiteLLM below WARNING   text withheld: at DEBUG it holds whole request bodies
  LiteLLM from WARNING    first lines, at most 500 characters, redacted, with the values of all live requests
  the text of an error    withheld behind its class: a provider may repeat the prompt there
  every exception         its type names and code positions; never its message, never source lines
  uvicorn.access          the leading plain words of the path, redacted
  anything else           redacted like a LiteLLM warning, at most 2,000 characters

Whatever goes wrong here costs the text of the line, never shows it.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final

from aicc_hooks.record.known import LiveValues
from aicc_hooks.record.redaction import Redactor
from aicc_hooks.record.spans import Span, merge
from aicc_hooks.verdict import Role

DROPPED_LINE: Final = "[log text dropped: it could not be redacted]"
WITHHELD: Final = "[log text withheld]"
FOREIGN: Final = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "httpx", "openai", "asyncio", "")  # fmt: skip

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_MARK: Final = "_aicc_scrubbed"
_PLAIN_PATH: Final = re.compile(r"(?:/(?:v1|v1beta|[A-Za-z_.-]{1,32})(?![^/]))*/?")
_ERROR_CLASSES: Final = re.compile(r"(?:\b[\w.]{1,80}(?:Error|Exception)[ ]{0,2}[-:(][ ]{0,2})+")
_FOREIGN_CHARS: Final = 500
_OTHER_CHARS: Final = 2_000
_FRAMES: Final = 12


class Scrubber(logging.Filter):
    """A filter for loggers and handlers; a record that passes it several times is cleaned once. Never drops a line.

    A second scrubber cleans it again: each knows the values of its own requests only.
    """

    def __init__(self, redactor: Redactor, live: LiveValues | None = None) -> None:
        super().__init__()
        self._redactor = redactor
        self._live = live or LiveValues()
        self._busy = threading.local()
        self._name = secrets.token_hex(8)  # a record may travel to another process
        self.failures = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; always True."""
        if self._name in getattr(record, _MARK, ()):
            return True
        if getattr(self._busy, "on", False):
            # The detector logged something while it cleaned a line: do not go round in circles.
            self._withhold(record, WITHHELD)
            return True
        self._busy.on = True
        try:
            self._clean(record)
        except Exception:
            self.failures += 1
            self._withhold(record, DROPPED_LINE)
        finally:
            self._busy.on = False
        return True

    def text(self, text: str, limit: int = _OTHER_CHARS) -> str:
        """Redacted text for a log. Raises what the detector raises."""
        cut = text[: limit + 2_000]
        spans = self._redactor.find(cut, Role.META) + self._live.spans(cut)
        out: list[str] = []
        at = 0
        for span in merge(spans):
            out += (cut[at : span.start], self._label(span))
            at = span.end
        out.append(cut[at:])
        cleaned = "".join(out)
        return cleaned if len(cleaned) <= limit else cleaned[:limit] + "…"

    def _label(self, span: Span) -> str:
        return self._redactor.label(span)

    def _clean(self, record: logging.LogRecord) -> None:
        exceptions = _exception_shape(record.exc_info)
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            # Its formatter reads the arguments by position, so they are cleaned one by one.
            record.args = tuple(self._argument(a) for a in record.args)
            self._finish(record, exceptions)
            return
        foreign = record.name.startswith("LiteLLM")
        if foreign and record.levelno < logging.WARNING:
            self._withhold(record, WITHHELD, exceptions)
            return
        message = self.text(record.getMessage(), _FOREIGN_CHARS if foreign else _OTHER_CHARS)
        if foreign and "Traceback (most recent call last)" in message:
            # LiteLLM formats tracebacks into the message itself, source lines and all.
            message = (
                message[: message.index("Traceback (most recent call last)")].rstrip()
                + " [traceback withheld]"
            )
        if not record.name.startswith("aicc"):
            message = _without_error_text(message)
        record.msg, record.args = message, None
        self._finish(record, exceptions)

    def _argument(self, value: object) -> object:
        if isinstance(value, str):
            path, question, _ = value.partition("?")
            # Percent-escapes hide values from detection; a path that needs them, or is no path of ours, is cut.
            plain = _PLAIN_PATH.match(path) if path.startswith("/") else None
            shown = path if plain is None else plain.group() + ("…" if plain.end() < len(path) else "")
            return self.text(shown) + ("?…" if question else "")
        return value if isinstance(value, (int, float)) else DROPPED_LINE

    def _withhold(self, record: logging.LogRecord, text: str, exceptions: str | None = None) -> None:
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            record.args = tuple(a if isinstance(a, (int, float)) else "-" for a in record.args)
        else:
            record.msg, record.args = text, None
        self._finish(record, exceptions)

    def _finish(self, record: logging.LogRecord, exceptions: str | None) -> None:
        by: tuple[str, ...] = getattr(record, _MARK, ())
        if not by or record.exc_info:  # otherwise `exc_text` is the shape that another scrubber left
            record.exc_text = exceptions  # formatters append it as the traceback
        record.exc_info = None
        record.stack_info = None
        for name in record.__dict__.keys() - _STANDARD:
            del record.__dict__[name]  # `extra` fields and uvicorn's color_message repeat raw text
        setattr(record, _MARK, (*by, self._name))


def install(scrubber: Scrubber, names: Iterable[str] = FOREIGN) -> Callable[[], None]:
    """Put the scrubber on these loggers, all their handlers and the last resort; returns the undo.

    A filter on a logger does not see its children's records; one on the handler does. Call it again
    after something reconfigured logging: a second installation changes nothing.
    """
    places: list[logging.Filterer] = []
    for name in names:
        logger = logging.getLogger(name)
        places += [logger, *logger.handlers]
    if logging.lastResort is not None:
        places.append(logging.lastResort)
    added = [place for place in places if scrubber not in place.filters]
    for place in added:
        place.addFilter(scrubber)

    def undo() -> None:
        for place in added:
            place.removeFilter(scrubber)

    return undo


def install_excepthooks(stream: Callable[[str], object] | None = None) -> Callable[[], None]:
    """Exceptions nobody caught, in any thread or while an object went, print their shape, not their message."""
    write = stream or (lambda text: sys.stderr.write(text))
    before, before_thread, before_ignored = sys.excepthook, threading.excepthook, sys.unraisablehook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        write(f"uncaught {_exception_shape((kind, error, trace))}\n")

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            name = (
                args.exc_type.__name__
                if args.exc_value is None
                else _exception_shape((args.exc_type, args.exc_value, args.exc_traceback))
            )
            write(f"uncaught in a thread: {name}\n")

    def ignored_hook(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:  # Python's own prints the message and the object's repr
            write(f"ignored {_exception_shape((args.exc_type, args.exc_value, args.exc_traceback))}\n")

    sys.excepthook, threading.excepthook, sys.unraisablehook = hook, thread_hook, ignored_hook

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before, before_thread, before_ignored

    return undo


def _without_error_text(message: str) -> str:
    """`… litellm.APIConnectionError: Ollama_chatException - {"error": …` ends behind its classes."""
    found = _ERROR_CLASSES.search(message)
    if found is None or found.end() == len(message):
        return message
    return message[: found.end()] + WITHHELD


def _exception_shape(info: object) -> str | None:
    """`ValueError <- KeyError at module.py:12 in f …`: types and positions along the chain, no messages."""
    error = info[1] if isinstance(info, tuple) and len(info) == 3 else info
    if not isinstance(error, BaseException):
        return None
    names: list[str] = []
    chain: BaseException | None = error
    while chain is not None and len(names) < 8:
        names.append(type(chain).__name__)
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"  at {code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return "\n".join([" <- ".join(names), *frames[-_FRAMES:]])
