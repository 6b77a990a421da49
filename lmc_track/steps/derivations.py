"""The analyses whose outcome every ingest computes from what was measured."""

from __future__ import annotations

from lmc_track.steps.cluster_effects import CLUSTER_STATISTICS
from lmc_track.warehouse.derivation import Derivation

DERIVATIONS: tuple[Derivation, ...] = (*CLUSTER_STATISTICS,)
"""In the order in which they build on each other."""
