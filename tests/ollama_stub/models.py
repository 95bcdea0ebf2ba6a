"""The models of the stub and their life in memory: load, keep alive, reload, unload."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

GB = 1_000_000_000


@dataclass
class Model:
    """An installed model. `load_delay` in seconds; `token_delay` between streamed tokens."""

    name: str
    family: str = "qwen2"
    parameters: str = "14.8B"
    size: int = 9 * GB
    context: int = 32768
    capabilities: tuple[str, ...] = ("completion", "tools")
    dims: int = 768
    load_delay: float = 0.0
    token_delay: float = 0.0
    reply: str | None = None
    num_parallel: int = 0  # 0: no limit
    default_ctx: int = 4096
    shape: dict[str, int] = field(
        default_factory=dict
    )  # what else /api/show tells: block_count, attention.head_count
    remote_host: str = ""  # of a cloud model, under whatever name: https://ollama.com:443
    peak: int = 0  # most requests served at once
    active: int = 0

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def details(self) -> dict[str, Any]:
        return {"parent_model": "", "format": "gguf", "family": self.family, "families": [self.family],
                "parameter_size": self.parameters, "quantization_level": "Q4_K_M"}  # fmt: skip

    def tag(self) -> dict[str, Any]:
        return {"name": self.name, "model": self.name, "modified_at": "2025-01-31T12:00:00.000000000Z", "size": self.size,
                "digest": self.digest, "details": self.details, **self._remote}  # fmt: skip

    @property
    def _remote(self) -> dict[str, str]:
        named = {"remote_model": self.name.partition(":")[0], "remote_host": self.remote_host}
        return named if self.remote_host else {}

    def show(self) -> dict[str, Any]:
        info = {
            "general.architecture": self.family, "general.basename": self.name.partition(":")[0],
            f"{self.family}.context_length": self.context, f"{self.family}.embedding_length": self.dims,
        }  # fmt: skip
        info |= {f"{self.family}.{key}": value for key, value in self.shape.items()}
        return {
            "license": "", "modelfile": f"FROM {self.name}\n", "parameters": "", "template": "{{ .Prompt }}",
            "details": self.details, "model_info": info, "capabilities": list(self.capabilities),
            "modified_at": "2025-01-31T12:00:00.000000000Z", **self._remote,
        }  # fmt: skip


def default_models() -> dict[str, Model]:
    """The five models of the shipped config."""
    models = [
        Model("qwen2.5:14b"),
        Model("deepseek-r1:14b", context=131072, capabilities=("completion", "thinking")),
        Model("llama3.2:latest", "llama", "3.2B", 2 * GB, 131072),
        Model("nomic-embed-text:latest", "nomic-bert", "137M", GB // 4, 2048, ("embedding",)),
        Model("bge-reranker-v2-m3:latest", "bert", "567M", GB, 8192, ("embedding",), dims=1024),
    ]
    return {m.name: m for m in models}


@dataclass
class Loaded:
    num_ctx: int
    expires: float  # time.time(); inf: never


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(keep_alive: Any) -> float:
    """Ollama's keep_alive (number of seconds or "5m", "1h30m", negative for ever) as seconds."""
    if keep_alive is None:
        return 300.0
    if isinstance(keep_alive, int | float):
        value = float(keep_alive)
    else:
        text = str(keep_alive)
        parts = re.findall(r"([\d.]+)(ms|s|m|h)", text)
        value = sum(float(n) * _UNITS[u] for n, u in parts) if parts else float(text.lstrip("-") or 0)
        value = -value if text.startswith("-") else value
    return float("inf") if value < 0 else value


@dataclass
class Memory:
    """What is loaded. One load of a model at a time; a load belongs to the request that began it."""

    max_loaded: int = 0  # 0: no limit (OLLAMA_MAX_LOADED_MODELS)
    loaded: dict[str, Loaded] = field(default_factory=dict)
    loading: dict[str, asyncio.Event] = field(default_factory=dict)
    loads: list[tuple[str, int]] = field(default_factory=list)
    cancelled_loads: int = 0

    def expire(self) -> None:
        now = time.time()
        for name in [n for n, entry in self.loaded.items() if entry.expires <= now]:
            del self.loaded[name]

    def ready(self, model: Model, num_ctx: int) -> bool:
        self.expire()
        entry = self.loaded.get(model.name)
        return entry is not None and entry.num_ctx == num_ctx

    async def load(self, model: Model, num_ctx: int, keep_alive: float) -> float:
        """Wait until the model is loaded with `num_ctx`; returns the seconds this request waited."""
        began = time.monotonic()
        while not self.ready(model, num_ctx):
            other = self.loading.get(model.name)
            if other is not None:
                await other.wait()  # when its owner hangs up, the next in line starts from zero, like Ollama
                continue
            done = self.loading[model.name] = asyncio.Event()
            try:
                self.loaded.pop(model.name, None)
                if model.load_delay:
                    await asyncio.sleep(model.load_delay)
                self.put(model, num_ctx, keep_alive)
            except asyncio.CancelledError:
                self.cancelled_loads += 1
                raise
            finally:
                del self.loading[model.name]
                done.set()
        return time.monotonic() - began

    def put(self, model: Model, num_ctx: int, keep_alive: float) -> None:
        self.loads.append((model.name, num_ctx))
        while self.max_loaded and len(self.loaded) >= self.max_loaded:
            del self.loaded[next(iter(self.loaded))]
        self.loaded[model.name] = Loaded(num_ctx, time.time() + keep_alive)

    def touch(self, model: Model, keep_alive: float) -> None:
        """Start the keep-alive again; 0 unloads."""
        entry = self.loaded.pop(model.name, None)
        if entry is not None and keep_alive > 0:
            self.loaded[model.name] = Loaded(entry.num_ctx, time.time() + keep_alive)

    def ps(self, models: dict[str, Model]) -> list[dict[str, Any]]:
        self.expire()
        out = []
        for name, entry in self.loaded.items():
            model = models[name]
            until = datetime.now(UTC) + timedelta(days=36500)
            if entry.expires != float("inf"):
                until = datetime.fromtimestamp(entry.expires, UTC)
            size = model.size + entry.num_ctx * 200_000
            out.append({"name": name, "model": name, "size": size, "digest": model.digest, "details": model.details,
                        "expires_at": until.isoformat(), "size_vram": size, "context_length": entry.num_ctx})  # fmt: skip
        return out
