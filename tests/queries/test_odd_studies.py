"""Studies with little or nothing in them: every query, export and report answers sensibly.

Sensibly is a frame whose numbers are numbers or NULL, or one message of this program's own.
Queries are found by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.report.facts import gather
from lmc_track.report.findings import sentences
from lmc_track.report.page import render_report
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.steps.export import export_study
from lmc_track.warehouse.library import Query, queries
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results
from lmc_track.warehouse.snapshot import Snapshot
from support.handmade_study import handmade_snapshot
from support.imported_study import imported_snapshot
from support.simulated_study import simulated_snapshot

FLAT = {(0, 1): {0.5: 0.25}, (0, 2): {0.5: 0.25}, (1, 2): {0.5: 0.25}}
NAN, INF = math.nan, math.inf


def _simulated(**options: int | tuple[str, ...]) -> Callable[[Path], Snapshot]:
    return lambda folder: simulated_snapshot(folder, n_examples=30, n_points=3, **options)  # type: ignore[arg-type]


STUDIES: dict[str, Callable[[Path], Snapshot]] = {
    "planned": _simulated(n_models=0, clusters=0),
    "planned without data": _simulated(n_models=0, clusters=0, datasets=()),
    "one model": _simulated(n_models=1, clusters=0),
    "one model in one cluster": _simulated(n_models=1, clusters=1),
    "two models": _simulated(n_models=2, clusters=0),
    "two models in two clusters": _simulated(n_models=2, clusters=2),
    "models without paths": lambda folder: handmade_snapshot(folder, [0.25, 0.5, 0.75], {}),
    "all losses equal": lambda folder: handmade_snapshot(
        folder, [0.25] * 3, FLAT, clusterings=[("spectral", [0, 0, 0])], diagnostic=[0.5] * 3
    ),
    "losses that are not numbers": lambda folder: handmade_snapshot(
        folder,
        [0.25, NAN, 0.25, 0.25],
        {(0, 1): {0.5: 0.5}, (0, 2): {0.5: INF}, (0, 3): {0.5: 0.5}, (1, 2): {0.5: 0.5},
         (1, 3): {0.5: 0.5}, (2, 3): {0.5: NAN}},
        clusterings=[("spectral", [0, 0, 1, 1])],
        diagnostic=[0.25, NAN, INF, 0.5],
    ),
    "imported scores": lambda folder: imported_snapshot(folder, paths=False),
    "imported paths, one missing": lambda folder: imported_snapshot(folder, paths=True),
    "a pair and a point missing": lambda folder: handmade_snapshot(
        folder,
        [0.25, 0.25, 0.5, 0.5],
        {(0, 1): {0.5: 0.5}, (0, 2): {0.5: 1.0}, (0, 3): {0.25: 1.0}, (1, 3): {0.5: 1.0},
         (2, 3): {0.5: 0.75}},
        clusterings=[("spectral", [0, 0, 1, None])],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """The results of an odd study, each built when it is first asked for."""

    @cache
    def build(name: str) -> Results:
        folder = tmp_path_factory.mktemp("odd")
        rebuild(folder / "results.duckdb", STUDIES[name](folder / "record"), DERIVATIONS)
        return Results(folder / "results.duckdb")

    return build


VALUES = {"DOUBLE": 0.3, "INTEGER": 2, "BOOLEAN": True}


def asked(query: Query, results: Results | Moment) -> dict[str, object]:
    """A value for every parameter that must be given."""
    params: dict[str, object] = {}
    for p in query.parameters:
        if p.default is None and p.name != "study":
            names = results.query("models")["name"].to_list() if results.studies() else []
            params[p.name] = VALUES.get(p.sql_type, (names or ["m0"])[-1])
    return params


def sensible(frame: pl.DataFrame) -> bool:
    """No NaN and no infinity among the numbers."""
    for column in frame.get_columns():
        while isinstance(column.dtype, pl.List):
            column = column.explode()
        parts = column.struct.unnest() if isinstance(column.dtype, pl.Struct) else [column]
        for part in parts:
            if part.dtype.is_float() and not part.drop_nulls().is_finite().all():
                return False
    return True


@pytest.mark.parametrize("study", STUDIES)
def test_every_query_answers(odd: Callable[[str], Results], study: str) -> None:
    bad = []
    with odd(study).at_once() as results:
        for name, query in queries().items():
            try:
                if not sensible(results.query(name, **asked(query, results))):
                    bad.append(f"{name}: gives a number that is none")
            except InputError:
                pass  # one message of ours; DuckDB's own errors are of another kind here
            except Exception as error:
                bad.append(f"{name}: {error}")
    assert bad == []


@pytest.mark.full
@pytest.mark.parametrize(
    "study",
    ["planned without data", "one model", "losses that are not numbers", "imported scores",
     "imported paths, one missing", "a pair and a point missing"],
)  # fmt: skip
def test_an_export_is_whole(
    odd: Callable[[str], Results], study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmc_track.steps.export.MEASURES", ("convexity_gap",))
    results = odd(study)
    (name,) = results.studies()
    export_study(name, results.path, tmp_path / "out", Silent())
    models = pl.read_parquet(tmp_path / "out" / "tables" / "models.parquet")
    assert models.height == results.query("models").height
    assert (tmp_path / "out" / "README.md").read_text()


@pytest.mark.full
@pytest.mark.parametrize("study", STUDIES)
def test_a_report_is_written(odd: Callable[[str], Results], study: str) -> None:
    results = odd(study)
    (name,) = results.studies()
    with results.at_once() as source:
        facts = gather(source, name)
        page = render_report(source, facts, provenance={}, commands=[])
    assert page.startswith("<!DOCTYPE html>")
    assert all("nan" not in line.lower().split() for line in sentences(facts))
    assert all("None" not in line for line in sentences(facts))


def test_results_without_a_study_say_so(tmp_path: Path) -> None:
    whole = simulated_snapshot(tmp_path / "record", n_models=0, clusters=0, datasets=())
    nothing = type(whole)(**{**vars(whole), "studies": whole.studies.clear()})
    rebuild(tmp_path / "results.duckdb", nothing, DERIVATIONS)
    results = Results(tmp_path / "results.duckdb")
    with results.at_once() as now:
        for name, query in queries().items():
            params = asked(query, now)
            with pytest.raises(InputError, match="needs a study\nrun a study, then ingest"):
                now.query(name, **params)
    with pytest.raises(InputError, match="there is no study 'any'"):
        export_study("any", results.path, tmp_path / "out", Silent())
