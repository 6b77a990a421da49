"""Fixtures: results of simulated studies, for tests of the warehouse and its queries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.snapshot import Snapshot
from support.golden_study import golden_snapshot
from support.simulated_study import TRACKING_URI, simulated_snapshot, some_holes


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return simulated_snapshot(tmp_path_factory.mktemp("whole"), n_examples=60)


@pytest.fixture(scope="session")
def results(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("results") / "results.duckdb"
    rebuild(path, snapshot, DERIVATIONS)
    return open_results(path, TRACKING_URI)


@pytest.fixture(scope="session")
def with_holes(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("holes")
    rebuild(
        folder / "results.duckdb",
        simulated_snapshot(folder / "record", n_examples=40, holes=some_holes()),
        DERIVATIONS,
    )
    return open_results(folder / "results.duckdb", TRACKING_URI)


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("golden")
    rebuild(folder / "results.duckdb", golden_snapshot(folder / "record"), DERIVATIONS)
    return open_results(folder / "results.duckdb", TRACKING_URI)


@pytest.fixture(scope="session")
def with_modules(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("parts")
    rebuild(
        folder / "results.duckdb",
        simulated_snapshot(
            folder / "record",
            n_models=4,
            n_points=3,
            n_examples=40,
            modules=("encoder.layer.0", "classifier"),
            refined=(0.25,),
        ),
        DERIVATIONS,
    )
    return open_results(folder / "results.duckdb", TRACKING_URI)


@pytest.fixture
def built(tmp_path: Path) -> Callable[..., Results]:
    """Build results from a simulated study made as asked."""

    def build(**options: Any) -> Results:
        rebuild(
            tmp_path / "results.duckdb",
            simulated_snapshot(tmp_path / "record", **{"n_examples": 40, **options}),
            DERIVATIONS,
        )
        return open_results(tmp_path / "results.duckdb", TRACKING_URI)

    return build
