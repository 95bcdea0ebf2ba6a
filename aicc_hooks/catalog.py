"""What config.yaml offers, as plain data: model groups, their deployments and what they can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aicc_hooks.relay import stays_here
from aicc_hooks.resilience.address import CLOUD
from aicc_hooks.verdict import Needs

DEMO_PROVIDER = "aicc_demo"
IN_PROCESS = "in-process"  # address of a model that answers inside this process
OLLAMA_PROVIDERS = ("ollama", "ollama_chat")
_OLLAMA_DEFAULT = "http://localhost:11434"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One upstream of a group. `address` is a URL, `in-process`, or "" when the provider's own cloud."""

    id: str
    model: str  # provider-prefixed
    address: str
    local: bool = False

    @property
    def name(self) -> str:
        """As its server knows it: `qwen2.5:14b`."""
        return server_name(self.model)

    @property
    def upstream(self) -> str:
        """Whose failure a failure may be: what breaker, queue and page call the place it is asked at."""
        return upstream_of(self.address, self.model)

    @property
    def ollama(self) -> bool:
        """Whether an Ollama serves it, asked in its own API."""
        return self.model.partition("/")[0] in OLLAMA_PROVIDERS


def server_name(model: str) -> str:
    """`ollama_chat/qwen2.5:14b` → `qwen2.5:14b`."""
    return model.partition("/")[2] or model


def upstream_of(address: str, model: str) -> str:
    """`address`, or the provider's cloud by its name: `cloud:anthropic`. Two clouds share neither circuit nor queue."""
    return address or CLOUD + model.partition("/")[0]


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """A name clients may send, with its deployments. Unknown capabilities count as present."""

    name: str
    deployments: tuple[Deployment, ...]
    mode: str = "chat"
    context: int = 0  # tokens; 0 = unknown
    tools: bool = True
    vision: bool = False
    json_schema: bool = True
    audio: bool = False
    files: bool = False
    links: bool = True  # its servers fetch pictures by their address; Ollama does not

    @property
    def local(self) -> bool:
        """True when at least one deployment is on this machine."""
        return any(d.local for d in self.deployments)

    @property
    def only_local(self) -> bool:
        """True when every deployment is on this machine."""
        return bool(self.deployments) and all(d.local for d in self.deployments)

    def lacks(self, needs: Needs) -> str:
        """The first hard constraint this group fails (tools, vision, audio, files, links, schema, context), or ""."""
        if needs.tools and not self.tools:
            return "tools"
        if needs.vision and not self.vision:
            return "vision"
        if needs.audio and not self.audio:
            return "audio"
        if unread := self.leaves_unread(needs):
            return unread
        if needs.json_schema and not self.json_schema:
            return "schema"
        if self.context and needs.tokens > self.context:
            return "context"
        return ""

    def leaves_unread(self, needs: Needs) -> str:
        """`files` or `links` where the request holds what these models would answer without having seen it, or ""."""
        if needs.files and not self.files:
            return "files"
        return "links" if needs.links and not self.links else ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All groups by name, in config order."""

    groups: Mapping[str, ModelGroup] = field(default_factory=dict)

    def of_mode(self, mode: str) -> tuple[ModelGroup, ...]:
        """Groups of one mode (chat, embedding, rerank)."""
        return tuple(g for g in self.groups.values() if g.mode == mode)

    def with_context(self, context_of: Callable[[ModelGroup], int]) -> Catalog:
        """The same catalog with each group's context as `context_of` says (0 keeps it)."""
        return Catalog({n: replace(g, context=context_of(g) or g.context) for n, g in self.groups.items()})

    @property
    def deployment_names(self) -> dict[str, str]:
        """What people call each deployment, by id: `qwen-local/qwen2.5:14b`, and its address where a group has several of one model."""
        names: dict[str, str] = {}
        for group in self.groups.values():
            models = [d.name for d in group.deployments]
            for d in group.deployments:
                where = f" at {d.upstream}" if models.count(d.name) > 1 else ""
                names[d.id] = f"{group.name}/{d.name}{where}"
        return names

    @property
    def demo(self) -> bool:
        """True when a stand-in model is configured."""
        return any(d.address == IN_PROCESS for g in self.groups.values() for d in g.deployments)


def address_of(params: Mapping[str, Any], *, ollama_default: str = "") -> str:
    """Where a deployment's requests go: URL, `in-process`, or "" for a provider's own cloud.

    `params`: LiteLLM's litellm_params or call kwargs (model, api_base, custom_llm_provider).
    """
    model = str(params.get("model") or "")
    provider = str(params.get("custom_llm_provider") or "") or model.partition("/")[0]
    base, other = params.get("api_base"), params.get("base_url")
    if base and other and base != other:
        return ""  # LiteLLM uses one or the other by endpoint (main.py:5482): nobody can say it is local
    if base or other:
        return str(base or other).rstrip("/")  # one server has one name, however its URL is written
    if params.get("litellm_credential_name"):
        return ""  # LiteLLM takes the address from its credential list, after the last door (utils.py:701)
    if provider == DEMO_PROVIDER:
        return IN_PROCESS
    if provider in OLLAMA_PROVIDERS:
        return ollama_default or _OLLAMA_DEFAULT
    return ""


def _nothing(address: str, model: str) -> Mapping[str, Any]:
    return {}


def build_catalog(
    model_list: Iterable[Mapping[str, Any]],
    local_addresses: Mapping[str, bool],
    *,
    ollama_default: str = "",
    learnt: Callable[[str, str], Mapping[str, Any]] = _nothing,
) -> Catalog:
    """Catalog of a LiteLLM model_list. `local_addresses` says which addresses are on this machine.

    `learnt(address, model)`: what the server says of a model, as `model_info`; what config.yaml states wins.
    """
    found: dict[str, list[tuple[Deployment, Mapping[str, Any], str]]] = {}
    for number, entry in enumerate(model_list):
        params = entry.get("litellm_params") or {}
        name = str(entry.get("model_name") or "")
        address = address_of(params, ollama_default=ollama_default)
        stated = {key: value for key, value in (entry.get("model_info") or {}).items() if value is not None}
        told = learnt(address, str(params.get("model") or ""))
        info = {**told, **stated}
        if "context_length" in stated and "max_input_tokens" not in stated:
            info["max_input_tokens"] = stated["context_length"]
        deployment = Deployment(
            id=str(info.get("id") or f"{name}-{number}"),
            model=str(params.get("model") or ""),
            address=address,
            # What config.yaml states wins, but not `local: true` over a server that says it passes the model on.
            local=address == IN_PROCESS
            or (
                local_addresses.get(address, False)
                and stays_here(params, stated)
                and stays_here(params, told)
            ),
        )
        found.setdefault(name, []).append((deployment, info, deployment.model))
    return Catalog({name: _group(name, rows) for name, rows in found.items()})


def _group(name: str, rows: list[tuple[Deployment, Mapping[str, Any], str]]) -> ModelGroup:
    infos = [info for _, info, _ in rows]
    contexts = [
        int(value) for info in infos if (value := info.get("max_input_tokens") or info.get("context_length"))
    ]
    return ModelGroup(
        name=name,
        deployments=tuple(deployment for deployment, _, _ in rows),
        mode=_mode(infos, rows[0][2]),
        context=min(contexts) if contexts else 0,
        # A group is as capable as its least capable deployment: the router may pick any of them.
        tools=all(info.get("supports_function_calling", True) is not False for info in infos),
        vision=all(info.get("supports_vision") is True for info in infos),
        audio=all(info.get("supports_audio_input") is True for info in infos),
        files=all(info.get("supports_pdf_input") is True for info in infos),
        links=not any(deployment.ollama for deployment, _, _ in rows),
        json_schema=all(info.get("supports_response_schema", True) is not False for info in infos),
    )


def _mode(infos: list[Mapping[str, Any]], model: str) -> str:
    for info in infos:
        if info.get("mode"):
            mode = str(info["mode"])
            return "chat" if mode in ("chat", "completion", "responses") else mode
    lowered = model.lower()
    if "rerank" in lowered:
        return "rerank"
    return "embedding" if "embed" in lowered else "chat"


def keys_of(models: Iterable[Mapping[str, Any]], ollama_default: str) -> dict[str, str]:
    """The key each address is called with; servers with a key want it for their list of models too."""
    keys: dict[str, str] = {}
    for params in (model.get("litellm_params") or {} for model in models):
        address, key = address_of(params, ollama_default=ollama_default), params.get("api_key")
        if address and isinstance(key, str) and key.lower() != "none":
            keys.setdefault(address, key)
    return keys
