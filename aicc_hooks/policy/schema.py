"""policy.yaml as types: sections live with the code they steer, this file composes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aicc_hooks.cache.config import CacheConfig
from aicc_hooks.detect.complexity.config import ComplexityConfig
from aicc_hooks.detect.injection.config import InjectionConfig
from aicc_hooks.detect.privacy.config import PrivacyConfig
from aicc_hooks.record.alerts.config import AlertsConfig
from aicc_hooks.record.config import LangfuseConfig, RecordConfig, RedactionConfig
from aicc_hooks.resilience.config import ResilienceConfig
from aicc_hooks.speed_config import SpeedConfig

LOOPBACK_HOSTS = ("localhost", "127.0.0.0/8", "::1")


class RoutingConfig(BaseModel):
    """Model groups by reason. Each must exist in config.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    privacy_route: str = "llama-fast"
    simple_route: str = "llama-fast"
    medium_route: str = "qwen-local"
    complex_route: str = "deepseek-local"
    injection_route: str = "llama-fast"
    block_on_injection: bool = False
    explicit_local: Literal["override", "honour"] = "override"
    # Names a client may send that mean "you choose". They must be listed in config.yaml too, or
    # /v1/models does not show them.
    aliases: tuple[str, ...] = ("auto", "gpt-4o-mini", "gpt-4o")

    def routes(self) -> dict[str, str]:
        """Policy key → model group, for checking against config.yaml."""
        keys = ("privacy_route", "simple_route", "medium_route", "complex_route", "injection_route")
        return {key: getattr(self, key) for key in keys}


class GateConfig(BaseModel):
    """What the gate lets in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    max_body_bytes: Annotated[int, Field(ge=1024)] = 20 * 1024 * 1024
    # Web apps whose pages may call the gateway from a browser ("http://localhost:5173"). Exact origins, no wildcard.
    cors_origins: tuple[Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$")], ...] = ()
    # Extra exact paths ("POST /v1/moderations"); each opens a door whose text is inspected as a whole.
    extra_routes: tuple[Annotated[str, Field(pattern=r"^(GET|POST|PUT|DELETE) /[^\s?#*]*$")], ...] = ()


class Policy(BaseModel):
    """The whole file. An unknown key, a missing route or a wrong type refuses it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    privacy: PrivacyConfig = PrivacyConfig()
    injection: InjectionConfig = InjectionConfig()
    complexity: ComplexityConfig = ComplexityConfig()
    routing: RoutingConfig = RoutingConfig()
    gate: GateConfig = GateConfig()
    redaction: RedactionConfig = RedactionConfig()
    record: RecordConfig = RecordConfig()
    langfuse: LangfuseConfig = LangfuseConfig()
    cache: CacheConfig = CacheConfig()
    resilience: ResilienceConfig = ResilienceConfig()
    alerts: AlertsConfig = AlertsConfig()
    speed: SpeedConfig = SpeedConfig()
    local_hosts: tuple[str, ...] = LOOPBACK_HOSTS
    lan: bool = False
    debug: bool = False


def as_yaml_tree(policy: Policy) -> dict[str, Any]:
    """Plain types, ready for yaml.safe_dump."""
    return policy.model_dump(mode="json")
