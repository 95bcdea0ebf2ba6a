"""Which embedder it is, exactly: vectors of two models must never meet in one index or one calibration."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from aicc_hooks.catalog import Catalog, Deployment
from aicc_hooks.resilience.ollama_models import full_name, same_model

_OLLAMA = ("ollama", "ollama_chat")
_TIMEOUT_S = 2.0


class NoEmbedder(Exception):
    """The semantic tier cannot use this embedder now; the message says why."""


async def embedder_id(
    catalog: Catalog, group: str, *, transport: httpx.AsyncBaseTransport | None = None
) -> str:
    """`embed-local=ollama/nomic-embed-text@0a109f422b47`: group, model, and Ollama's digest of its weights.

    `ollama pull` may put other weights behind the same name. Raises NoEmbedder.
    """
    found = catalog.groups.get(group)
    if found is None:
        raise NoEmbedder(f"config.yaml has no model group {group}")
    if not found.only_local:
        raise NoEmbedder(f"{group} is not on this machine; questions are only embedded locally")
    names = {await _name(d, transport) for d in found.deployments}
    if len(names) != 1:
        raise NoEmbedder(f"the deployments of {group} are different models")
    return f"{group}={names.pop()}"


async def _name(deployment: Deployment, transport: httpx.AsyncBaseTransport | None) -> str:
    provider, _, model = deployment.model.partition("/")
    if provider not in _OLLAMA:
        return deployment.model
    base = deployment.address.rstrip("/").removesuffix("/v1").removesuffix("/api")
    try:
        # trust_env off: HTTP_PROXY must not send a call to this machine elsewhere.
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, transport=transport) as http:
            tags = (await http.get(f"{base}/api/tags")).json()
        rows = [r for r in tags["models"] if isinstance(r, Mapping)]
        digest = next((r.get("digest") for r in rows if same_model(str(r.get("name")), model)), None)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        raise NoEmbedder("Ollama does not answer") from None
    if not isinstance(digest, str) or not digest:
        raise NoEmbedder(f"Ollama has no model {full_name(model)}: ollama pull {model}")
    return f"ollama/{full_name(model)}@{digest.removeprefix('sha256:')[:12]}"
