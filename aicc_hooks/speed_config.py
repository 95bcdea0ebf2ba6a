"""Policy section `speed`: each saving can be switched off alone. Changes take effect at the next start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

# What LiteLLM does in its key look-up and in its layers; with one of these set in config.yaml that part runs.
_SETTINGS: Final = {
    "auth": ("custom_auth", "enable_jwt_auth", "allowed_ips", "enforce_user_param", "user_header_name",
             "user_header_mappings", "max_request_size_mb", "max_response_size_mb"),
    "middlewares": ("max_in_flight_requests_per_worker", "max_queued_requests_per_worker", "max_request_size_mb"),
}  # fmt: skip


class SpeedConfig(BaseModel):
    """Work LiteLLM does for every request that a gateway on one machine does not need."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    price_scan: bool = True  # remember whether an Ollama model stands in the price list
    cost_diagnostics: bool = True  # no search for why a free model costs nothing
    token_count: bool = True  # believe Ollama's count of the prompt's tokens
    local_price: bool = True  # what runs at Ollama costs nothing: no price calculation
    success_logging: bool = True  # no log payloads when nobody but us would read them
    middlewares: bool = True  # skip layers for admin UI, billing and compression
    auth: bool = True  # the gate has checked the key: no second look-up
    endpoints: bool = (
        True  # model calls go to their endpoint's function: no route search, no parameter solving
    )
    limits: bool = True  # no walk through limits and budgets of keys and deployments that have none
    access_log: bool = True  # no line a request in the server's log: the record says more
    garbage: bool = True  # look for garbage less often, and never among what was loaded at the start
    scan_process: bool = True  # long texts are inspected in a process of their own


def needed(general_settings: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, str]:
    """Savings that must not be made, each with the setting of LiteLLM that needs the part it would leave out."""
    found = {
        saving: f"general_settings.{name}"
        for saving, names in _SETTINGS.items()
        for name in reversed(names)
        if general_settings.get(name)
    }
    if env.get("LITELLM_ENABLE_HSTS", "").strip().lower() == "true":
        found.setdefault("middlewares", "LITELLM_ENABLE_HSTS")
    return found
