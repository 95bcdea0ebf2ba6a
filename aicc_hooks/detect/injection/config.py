"""Policy section `injection`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class InjectionConfig(BaseModel):
    """Thresholds on the calibrated score."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    flag_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    block_threshold: Annotated[float, Field(ge=0, le=1)] = 0.9
