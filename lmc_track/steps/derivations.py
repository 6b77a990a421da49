"""The analyses whose outcome every ingest computes from what was measured."""

from __future__ import annotations

from lmc_track.steps.attribution import attribution_rows, ensemble_rows
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.tables import ATTRIBUTION_ROWS, ENSEMBLE_ROWS

DERIVATIONS: tuple[Derivation, ...] = (
    Derivation(ATTRIBUTION_ROWS, attribution_rows),
    Derivation(ENSEMBLE_ROWS, ensemble_rows),
)
"""In the order in which they build on each other."""
