"""Check of OpenAI-compatible servers on this machine (llama.cpp, MLX, LM Studio, vLLM, TEI): there, with the models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from aicc_hooks.catalog import address_of
from aicc_hooks.locality import Locality
from aicc_hooks.ops.doctor.model import Context, Finding
from aicc_hooks.resilience.model_servers import speaks_openai
from aicc_hooks.resilience.models_present import not_served
from aicc_hooks.resilience.openai_server import OpenAIServer, ServerError

_LIMIT_S = 1.2


def model_servers(context: Context) -> Iterator[Finding]:
    """Every such address of config.yaml that is on this machine; the others are not asked."""
    here = Locality(context.policy.local_hosts if context.policy else ())
    wanted: dict[str, dict[str, Mapping[str, Any]]] = {}
    keys: dict[str, str] = {}
    for entry in context.config.model_list if context.config else ():
        params = entry["litellm_params"]
        model, address = str(params["model"]), address_of(params)
        if speaks_openai(model, address) and here.check(address):
            wanted.setdefault(address, {})[model.partition("/")[2]] = entry.get("model_info") or {}
            keys.setdefault(address, str(params.get("api_key") or ""))
    for address, models in wanted.items():
        yield from asyncio.run(_one(address, keys[address], models))


async def _one(address: str, key: str, models: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    server = OpenAIServer(address, key="" if key.lower() == "none" else key, timeout_s=_LIMIT_S)
    try:
        serves = await server.look()
    except ServerError as error:
        if error.status in (401, 403):
            return [
                Finding("servers", "fail", f"{address} refuses the key", "correct its api_key in config.yaml")
            ]
        if error.status == 503:
            return [Finding("servers", "warn", f"{address} is still loading its model", "aicc doctor")]
        return [Finding("servers", "ok", f"{address}: answers, tells nothing of its models")]
    except Exception as error:
        return [Finding("servers", "fail", f"nothing answers at {address} ({type(error).__name__})",
                        "start that server, or take its entry out of config.yaml")]  # fmt: skip
    finally:
        await server.aclose()
    lacking = not_served(models, serves, address)
    out = [
        Finding(
            "servers",
            "fail",
            m.sentence,
            f"name one of those in litellm_params.model, or load '{m.name}' there",
        )
        for m in lacking
    ]
    if not lacking:
        out.append(Finding("servers", "ok", f"{address}: {', '.join(serves.names) or 'lists no models'}"))
    for name, info in models.items():
        served, promised = serves.find(name), info.get("max_input_tokens")
        if served is not None and isinstance(promised, int) and 0 < served.context < promised:
            out.append(
                Finding(
                    "context", "warn", f"{name} at {address} reads {served.context} tokens, config.yaml promises {promised}",
                    f"set max_input_tokens: {served.context} for it, or start the server with more context",
                )
            )  # fmt: skip
    return out
