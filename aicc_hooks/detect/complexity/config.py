"""Policy section `complexity`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ComplexityConfig(BaseModel):
    """Ceilings and floors on the ask; `under_route_cost` weighs sending hard work to a small model."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    simple_max_tokens: Annotated[int, Field(ge=1)] = 256
    medium_max_tokens: Annotated[int, Field(ge=1)] = 1024
    code_signals: tuple[str, ...] = ("```", "def ", "class ", "function ", "const ")
    reasoning_signals: tuple[str, ...] = ("why", "prove", "derive", "design", "tradeoff")
    classifier: Literal["model", "rules"] = "model"
    under_route_cost: Annotated[float, Field(gt=0, le=100)] = 4.0
