"""The analyses whose outcome every ingest computes from what was measured."""

from __future__ import annotations

from lmc_track.steps.gap_bounds import gap_bound_rows
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.tables import GAP_BOUNDS

DERIVATIONS: tuple[Derivation, ...] = (Derivation(GAP_BOUNDS, gap_bound_rows),)
"""In the order in which they build on each other."""
