"""The analyses whose outcome every ingest computes from what was measured."""

from __future__ import annotations

from lmc_track.steps.attribution import attribution_rows, ensemble_rows
from lmc_track.steps.cluster_effects import CLUSTER_STATISTICS
from lmc_track.steps.gap_bounds import gap_bound_rows
from lmc_track.steps.plane_routes import plane_route_rows
from lmc_track.steps.step_places import step_place_rows
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.stored_tables import ATTRIBUTION_ROWS, ENSEMBLE_ROWS
from lmc_track.warehouse.tables import GAP_BOUNDS, PLANE_ROUTES, PLANES, STEP_PLACES, STUDIES

DERIVATIONS: tuple[Derivation, ...] = (
    Derivation(ATTRIBUTION_ROWS, attribution_rows),
    Derivation(ENSEMBLE_ROWS, ensemble_rows),
    *CLUSTER_STATISTICS,
    Derivation(GAP_BOUNDS, gap_bound_rows),
    Derivation(PLANE_ROUTES, plane_route_rows, PLANES),
    Derivation(STEP_PLACES, step_place_rows, STUDIES),
)
"""In the order in which they build on each other."""
