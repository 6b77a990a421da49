"""What every section of a study file keeps to."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from lmc_track.names import is_name

MOST_LABELS = 10_000
"""More labels than this no classifier has that a study could compare."""


class Section(BaseModel):
    """Unknown keys are errors; values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def _says(self, key: str) -> bool:
        """Whether ``key`` was given, to whatever value."""
        return key in self.model_fields_set


def checked_name(value: str) -> str:
    """``value``, which must be a name.

    Raises:
        ValueError: it is none.
    """
    if not is_name(value):
        raise ValueError(f"{value!r} is no name: use letters, digits and _ . - (at most 100)")
    return value
