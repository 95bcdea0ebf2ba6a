"""What a client asked for and LiteLLM or the model does not do: which answers are rewritten, which fields go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

import orjson

from aicc_hooks.adapter.calls import Call
from aicc_hooks.catalog import Deployment
from aicc_hooks.payload import embeddings, functions
from aicc_hooks.payload.event_repair import ChatRepair, Keep, ResponsesRepair, complete_whole
from aicc_hooks.payload.known_fields import without_effect
from aicc_hooks.payload.tools import only_functions
from aicc_hooks.resilience.model_servers import speaks_openai

_CHOICES = (
    "auto",
    "none",
    "required",
    "any",
    "function",
    "tool",
    "allowed_tools",
)  # that need no foreign tool
_REASONING = ("reasoning_effort", "reasoning", "thinking", "think")


def of_whole(call: Call, keep: Keep | None) -> Callable[[bytes], bytes] | None:
    """The rewrite of a whole 200 answer, which must then be collected; None: pass it on as it comes.

    `keep` is given the output items of a Responses answer.
    """
    if call.endpoint == "embeddings" and call.encoding == "base64":
        return embeddings.pack
    if call.endpoint == "responses":
        return partial(complete_whole, model=call.requested or "auto", keep=keep)
    return functions.old_names if call.old_names else None


def of_stream(call: Call, keep: Keep | None) -> Callable[..., bytes] | None:
    """The rewrite of a stream, piece by piece: `feed(data, last=bool)`."""
    if call.endpoint == "responses":
        return ResponsesRepair(call.requested or "auto", keep).feed
    if call.endpoint != "chat":
        return None
    repair = ChatRepair().feed
    if not call.old_names:
        return repair
    rename = functions.OldNames().feed
    return lambda data, *, last: rename(repair(data, last=last), last=last)


def next_number(feed: Callable[..., bytes] | None) -> int:
    """The sequence number of the event that follows in a stream rewritten by `feed`; 0 where events have none."""
    repair = getattr(feed, "__self__", None)
    return repair.next_number if isinstance(repair, ResponsesRepair) else 0


def by_chat(kwargs: MutableMapping[str, Any], deployment: Deployment | None) -> None:
    """Have LiteLLM translate a Responses call into a chat call for a server on this machine, and for TensorZero.

    For `openai/` it would send /v1/responses on. mlx_lm.server, older llama.cpp and TensorZero answer 404; all of
    them have chat. `use_chat_completions_api: false` in litellm_params keeps the server's own.
    """
    if deployment is not None and bridged(deployment, kwargs):
        kwargs["use_chat_completions_api"] = True


def bridged(deployment: Deployment, params: Mapping[str, Any]) -> bool:
    """Whether Responses calls to this deployment go as chat calls. `params`: litellm_params, or the call's kwargs."""
    stated = params.get("use_chat_completions_api")
    if stated is not None:
        return bool(stated)
    here = deployment.local and speaks_openai(deployment.model, deployment.address)
    return here or "tensorzero::" in deployment.model


def drop_foreign_tools(
    kwargs: MutableMapping[str, Any], call: Call, deployment: Deployment | None
) -> list[str]:
    """Take tools that are no functions from a call to a model on this machine. Returns their names.

    For the outermost call, in the words of the client's API. A server's own /v1/responses may have tools of its own.
    """
    tools: Any = kwargs.get("tools")
    if (
        deployment is None
        or not isinstance(tools, list)
        or call.endpoint not in ("chat", "responses", "messages")
    ):
        return []
    if not deployment.ollama and not (
        deployment.local and speaks_openai(deployment.model, deployment.address)
    ):
        return []
    if call.endpoint == "responses" and not deployment.ollama and not bridged(deployment, kwargs):
        return []
    kept, gone = only_functions(call.endpoint, tools)
    if not gone:
        return []
    if kept:
        kwargs["tools"] = kept
    else:
        del kwargs["tools"]
    choice = kwargs.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if choice is not None and not (
        kept and (kind in _CHOICES or (kind == "custom" and call.endpoint == "responses"))
    ):
        del kwargs["tool_choice"]
        gone += [] if kind in ("auto", "none") else ["tool_choice"]
    return gone


def mend_arguments(kwargs: MutableMapping[str, Any]) -> None:
    """Make the arguments of earlier tool calls JSON objects.

    Models write broken ones and agents send them back as history. OpenAI takes any string; LiteLLM parses it for
    Ollama and fails, on every model, so the circuit would open for all requests. llama.cpp and Anthropic parse it too.
    """
    messages: Any = kwargs.get("messages")
    for number, message in enumerate(messages if isinstance(messages, list) else ()):
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        if not isinstance(calls, list) or all(map(_is_sound, calls)):
            continue
        mended = [call if _is_sound(call) else _mended(call) for call in calls]
        # A list of its own: the client's messages are shared with the record and other attempts.
        messages = [*messages[:number], {**message, "tool_calls": mended}, *messages[number + 1 :]]
        kwargs["messages"] = messages


def _is_sound(call: Any) -> bool:
    try:
        return isinstance(orjson.loads(call["function"]["arguments"]), dict)
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return False


def _mended(call: Any) -> Any:
    if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
        return call
    said = call["function"].get("arguments")
    whole = said if isinstance(said, dict) else {"arguments": said} if said else {}
    return {**call, "function": {**call["function"], "arguments": orjson.dumps(whole).decode()}}


def drop_reasoning(kwargs: MutableMapping[str, Any]) -> list[str]:
    """Take the thinking fields from a call to a model whose model_info says supports_reasoning: false. Returns their names.

    Clients send them to every model; Ollama answers 400 "does not support thinking".
    """
    if (kwargs.get("model_info") or {}).get("supports_reasoning") is not False:
        return []
    return [name for name in _REASONING if kwargs.pop(name, None) is not None]


def _list_stops(kwargs: MutableMapping[str, Any]) -> None:
    """Ollama wants an array, else it answers 500; an empty word would stop it before its first."""
    stop = kwargs["stop"]
    kept = [word for word in ([stop] if isinstance(stop, str) else stop) if word]
    if kept:
        kwargs["stop"] = kept
    else:
        del kwargs["stop"]


def fit_for_ollama(kwargs: MutableMapping[str, Any], call: Call, *, inner: bool) -> list[str]:
    """Take from a call to Ollama what it has no place for. Returns the names of fields that have no effect.

    `inner`: the call is a chat call, maybe inside one of /responses or /messages. LiteLLM drops `tool_choice` too: a
    model that may call no tool is not shown any, one that must call a certain tool is shown that alone. Nothing makes
    it call one, so such a choice is named.
    """
    gone = without_effect(call.endpoint, call.body or {})
    for name in gone:
        kwargs.pop(name, None)
    if kwargs.get("stop") is not None:
        _list_stops(kwargs)
    choice, tools = kwargs.get("tool_choice"), kwargs.get("tools")
    if not inner or not choice or not isinstance(tools, list):
        return gone
    kwargs.pop("tool_choice")
    if choice == "none":
        kwargs.pop("tools")
    elif choice != "auto":
        gone.append("tool_choice")
        function = choice.get("function") if isinstance(choice, dict) else None
        wanted = function.get("name") if isinstance(function, dict) else None
        if wanted:
            kwargs["tools"] = [tool for tool in tools if (tool.get("function") or {}).get("name") == wanted]
    return gone
