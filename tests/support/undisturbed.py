"""Whether a study that was disturbed ended up as one that was not."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import study_names
from support.stores import copied_home
from support.studies import runs_of, tables_of

KINDS = ("study", "dataset", "model", "path", "point", "clusters", "report")
# When something was recorded, by what, and where: not what it is.
_PASSING = {"created", "seconds", "versions", "study_id", "experiment_id", "tracking_uri"}
# Keys of these follow from ids of other runs; what clusterings are is compared by their tables.
_NAMED_BY_IDS = ("clusters", "report")


@dataclass(frozen=True)
class Undisturbed:
    """A finished study that no test may change, and how many moments each step of it had."""

    location: Location
    moments: dict[str, int]

    def copied(self, folder: Path) -> Location:
        """A copy of it, whose results are those of its own store."""
        location = copied_home(self.location, folder)
        with duckdb.connect(str(location.results_path)) as connection:
            connection.execute(
                "UPDATE schema_version SET tracking_uri = ?", [location.tracking_uri]
            )
        return location

    def base_into(self, location: Location) -> Location:
        """Give ``location`` the study's base model, which takes long to make."""
        shutil.copytree(self.location.cache / "base", location.cache / "base")
        return location


def finished_ids(location: Location) -> set[str]:
    """Ids of all that a study has finished and may never lose; none before it is on record."""
    if "tiny" not in study_names(Store(location)):
        return set()
    index = runs_of(location)
    kept = (kind for kind in KINDS if kind not in _NAMED_BY_IDS)
    return {run.run_id for kind in kept for run in index.all(kind)}


def assert_as_undisturbed(location: Location, expected: Location) -> None:
    """The same runs, each once and finished, and the same tables."""
    index, other = runs_of(location), runs_of(expected)
    for kind in KINDS:
        if kind not in _NAMED_BY_IDS:
            assert {r.key for r in index.all(kind)} == {r.key for r in other.all(kind)}, kind
    assert index.duplicates == []
    assert not any(index.unfinished(kind) for kind in KINDS)
    mine, theirs = named_tables(location.results_path), named_tables(expected.results_path)
    assert mine.keys() == theirs.keys()
    for name, frame in theirs.items():
        try:
            assert_frame_equal(mine[name], frame, abs_tol=1e-5)
        except AssertionError as error:
            raise AssertionError(f"table {name}: {error}") from error


def named_tables(results_path: Path) -> dict[str, pl.DataFrame]:
    """Every table of the results without ids and times: ids are the names of what they mean."""
    tables = tables_of(results_path)
    names = _names(tables)
    return {
        name: _sorted(
            frame.drop(_PASSING & set(frame.columns)).with_columns(
                pl.col(column).replace(names)
                for column, dtype in frame.schema.items()
                if column.endswith("_id") and dtype == pl.String and column not in _PASSING
            )
        )
        for name, frame in tables.items()
    }


def _names(tables: dict[str, pl.DataFrame]) -> dict[str, str]:
    """What every run is, by its id."""
    paths = dict(tables["paths"].select("path_id", "key").iter_rows())
    names = {
        run_id: f"{study} {name}"
        for run_id, study, name in tables["models"].select("model_id", "study", "name").iter_rows()
    }
    names |= paths
    names |= {
        run_id: f"{paths[path_id]} {alpha!r}"
        for run_id, path_id, alpha in tables["points"]
        .select("point_id", "path_id", "alpha")
        .iter_rows()
    }
    what = ["clustering_id", "study", "method", "metric", "dataset", "subset", "half", "settings"]
    return names | {
        run_id: " ".join(map(str, described))
        for run_id, *described in tables["clusterings"].select(what).iter_rows()
    }


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """By what rows are about; measures, which may differ in their last digit, come last."""
    plain = [name for name, dtype in frame.schema.items() if not dtype.is_nested()]
    return frame.sort(sorted(plain, key=lambda name: frame.schema[name].is_float()))
