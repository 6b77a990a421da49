"""What the study file of imported results says under ``[task]``: no task that could be run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ImportedTask(BaseModel):
    """Results made elsewhere. No file that a user writes has this task; imports write it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["imported"]
    of: str = Field("", description="What the models were finetuned for, as the user calls it.")

    def identity(self) -> dict[str, Any]:
        """What of the section may never change under one study name."""
        return self.model_dump(mode="json")
