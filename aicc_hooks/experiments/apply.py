"""What a variant changes in a request body. Pure: returns a new body, shares what it does not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aicc_hooks.decide import Experiment
from aicc_hooks.experiments.schema import PLACE
from aicc_hooks.experiments.units import NOBODY, Unit

_SYSTEM_ROLES = ("system", "developer")
# The same setting under the name each API has for it.
_RENAMED: dict[str, dict[str, str]] = {
    "responses": {"max_tokens": "max_output_tokens"},
    "messages": {"stop": "stop_sequences"},
}


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant of one request. `system` is the text in force, `prompt_*` where Langfuse has it."""

    experiment: str
    variant: str
    model: str = ""
    mode: Literal["prepend", "append", "replace", "template"] = "prepend"
    system: str | None = None
    parameters: tuple[tuple[str, Any], ...] = ()
    prompt_name: str = ""
    prompt_version: int = 0  # 0: the fallback text, which Langfuse does not know
    content: str = ""  # short hash of what the variant does, see ExperimentConfig.content
    unit: Unit = NOBODY

    @property
    def label(self) -> str:
        """experiment:variant, as header, trace and record show it."""
        return f"{self.experiment}:{self.variant}"

    def for_decision(self, *, private: bool = False) -> Experiment:
        """The form `decide` takes. A private request is assigned only where every variant is local."""
        return Experiment(self.label, self.model, private_too=private)

    def apply(self, body: Mapping[str, Any], endpoint: str = "chat") -> dict[str, Any]:
        """The body with the variant's system prompt and parameters. What the variant sets wins over the client."""
        changed = dict(body)
        if self.system is not None:
            _WRITERS.get(endpoint, _chat)(changed, self)
        names = _RENAMED.get(endpoint, {})
        for name, value in self.parameters:
            if name == "max_tokens" and endpoint == "chat" and "max_completion_tokens" in changed:
                changed["max_completion_tokens"] = value
            elif name == "reasoning_effort" and endpoint == "responses":
                changed["reasoning"] = {**(changed.get("reasoning") or {}), "effort": value}
            elif name == "stop" and endpoint == "messages":
                changed["stop_sequences"] = value if isinstance(value, list) else [value]
            else:
                changed[names.get(name, name)] = value
        return changed

    def compose(self, own: str) -> str:
        """The system prompt: the variant's text and the client's own."""
        text = self.system or ""
        if self.mode == "replace":
            return text
        if self.mode == "template":
            return PLACE.sub(lambda _: own, text)
        parts = (own, text) if self.mode == "append" else (text, own)
        return _joined(*parts)


def _chat(body: dict[str, Any], variant: Assignment) -> None:
    own, role, rest = _split(body.get("messages") or [])
    text = variant.compose(own)
    if text or rest:  # else nothing would be asked at all
        body["messages"] = [{"role": role, "content": text}, *rest] if text else rest


def _responses(body: dict[str, Any], variant: Assignment) -> None:
    # Some clients send their system prompt as the first items of `input`.
    own, given = _text(body.get("instructions")), body.get("input")
    if isinstance(given, list):
        leading, _, rest = _split(given)
        if rest and len(rest) < len(given):
            own, body["input"] = _joined(own, leading), rest
    _set(body, "instructions", variant.compose(own))


def _messages(body: dict[str, Any], variant: Assignment) -> None:
    _set(body, "system", variant.compose(_text(body.get("system"))))


def _set(body: dict[str, Any], name: str, text: str) -> None:
    """An empty prompt is none: servers refuse some of them."""
    if text:
        body[name] = text
    else:
        body.pop(name, None)


def _split(messages: Sequence[Any]) -> tuple[str, str, list[Any]]:
    """The client's own prompt (the leading system messages), its role, and the messages after it."""
    leading = 0
    while (
        leading < len(messages)
        and isinstance(messages[leading], Mapping)
        and messages[leading].get("role") in _SYSTEM_ROLES
    ):
        leading += 1
    own = _joined(*(_text(message.get("content")) for message in messages[:leading]))
    return own, messages[0]["role"] if leading else "system", list(messages[leading:])


_WRITERS = {"chat": _chat, "responses": _responses, "messages": _messages}


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            str(part.get("text") or "") if isinstance(part, Mapping) else str(part) for part in content
        )
    return ""
