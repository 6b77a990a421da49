"""Several kinds of study, each ingested and read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.report.facts import Facts, gather
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.simulated_study import simulated_snapshot, some_holes

_KINDS = {
    "two clusters": {"n_models": 5},
    "one cluster": {"n_models": 4, "clusters": 1},
    "no clustering": {"n_models": 4, "clusters": 0},
    "holes": {"n_models": 5, "n_points": 5, "holes": some_holes()},
    "one model": {"n_models": 1},
    "parts": {"n_models": 4, "modules": ("encoder.layer.0", "classifier"), "refined": (0.25,)},
    "planes": {"n_models": 4, "planes": ((0, 1, 2), (0, 2, 3))},
    "four against four": {"n_models": 8},
    "three clusters": {"n_models": 9, "clusters": 3},
}


@pytest.fixture(scope="session")
def results_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """The results of a kind of study, all of them named ``simulated``."""
    made: dict[str, Results] = {}

    def results(kind: str) -> Results:
        if kind not in made:
            folder: Path = tmp_path_factory.mktemp("report")
            options = {"n_points": 3, "n_examples": 60, **_KINDS[kind]}
            path = folder / "results.duckdb"
            rebuild(path, simulated_snapshot(folder, **options), DERIVATIONS)
            made[kind] = open_results(path)
        return made[kind]

    return results


@pytest.fixture(scope="session")
def facts_of(results_of: Callable[[str], Results]) -> Callable[[str], Facts]:
    """What a report reads of a kind of study."""
    read: dict[str, Facts] = {}

    def facts(kind: str) -> Facts:
        if kind not in read:
            read[kind] = gather(results_of(kind), "simulated")
        return read[kind]

    return facts
