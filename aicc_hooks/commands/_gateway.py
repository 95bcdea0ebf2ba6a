"""Asking the running gateway, as its owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from aicc_hooks.commands import _home
from aicc_hooks.errors import OpsError

_EMBED_TIMEOUT_S = 660.0  # the embedder may have to be loaded first


class RunningGateway:
    """Port and key as AICC_HOME/.env and the environment say. Every method raises OpsError with what to do."""

    def __init__(self, port: int | None = None, *, transport: httpx.BaseTransport | None = None) -> None:
        env = _home.environment()
        named = env.get("AICC_ROUTER_PORT", "").strip()
        self.port = port or (int(named) if named.isdigit() else 4000)
        key = env.get("AICC_MASTER_KEY", "").strip()
        if not key:
            raise OpsError("AICC_MASTER_KEY is not set; run `aicc init`, or set it in the environment")
        # trust_env off: a proxy must not see the key.
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> RunningGateway:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> dict[str, Any]:
        """A JSON object by GET."""
        return self._call("GET", path)

    def post(self, path: str) -> dict[str, Any]:
        """A JSON object by POST without a body."""
        return self._call("POST", path)

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text."""
        body = {"model": model, "input": list(texts), "encoding_format": "float"}
        answer = self._call(
            "POST",
            "/v1/embeddings",
            json=body,
            headers={"cache-control": "no-cache, no-store"},
            timeout=_EMBED_TIMEOUT_S,
        )
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = [list(row["embedding"]) for row in rows]
        except (KeyError, TypeError):
            vectors = []
        if len(vectors) != len(texts):
            raise OpsError(f"{model} answered {len(texts)} texts with {len(vectors)} vectors")
        return vectors

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
            body = response.json()
        except httpx.HTTPError:
            raise OpsError(
                f"no gateway answers on port {self.port}; start it with `aicc serve`, or name its port with --port"
            ) from None
        except ValueError:
            raise OpsError(f"what answers on port {self.port} is not this gateway") from None
        if response.status_code != 200 or not isinstance(body, dict):
            error = body.get("error") if isinstance(body, dict) else None
            said = error.get("message") if isinstance(error, dict) else None
            raise OpsError(
                f"the gateway on port {self.port} answered {response.status_code}: {said or 'no reason'}"
            )
        return body
