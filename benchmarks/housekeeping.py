"""How long ``status`` and ``gc`` take on a made home with the runs of a full study.

    python benchmarks/housekeeping.py HOME --models 100

HOME is made where it is not there: a recorded study whose runs have the tags, params and small
files that these commands look at. A tenth of the paths is then deleted for ``gc`` to find. Beside
seconds by the clock those of the processor are told, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import time
import uuid
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

from lmc_track.geometry.grid import common_grid, interior
from lmc_track.progress import Silent
from lmc_track.steps.gc import collect, what_can_go
from lmc_track.steps.status import study_status
from lmc_track.study import build_study
from lmc_track.tracking.inner_store import database_of
from lmc_track.tracking.keys import path_key, point_key
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.recorder import now
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import RecordedModel, StudyFacts, write_study
from lmc_track.tracking.tags import GRID_TAG, KEY_TAG, KIND_TAG, PARENT_TAG, STUDY_TAG

_ROWS = 10_000
_FILLING = {"lmc.revision": "1", "lmc.versions": "x" * 200, "mlflow.note.content": "x" * 300}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--points", type=int, default=11)
    options = parser.parse_args()
    location = locate(str(options.home), environ={})
    if not options.home.exists():
        timed("make the home", lambda: make(location, options.models, options.points))
    Store(location).client  # noqa: B018 - imports of MLflow are not what is measured
    timed("status --no-disk", lambda: study_status(location, disk=False))
    timed("status", lambda: study_status(location))
    timed("gc --dry-run", lambda: what_can_go(location))
    deleted = timed("delete every tenth path", lambda: delete(location))
    found = timed(f"gc --dry-run, {deleted} paths deleted", lambda: what_can_go(location).found)
    done = timed(f"gc of {len(found):,} runs", lambda: collect(location, found, 0.0, Silent()))
    print(
        f"{len(done.gone):,} gone, {done.usage.bytes / 1e6:.1f} MB, {len(done.failures)} failures"
    )
    assert what_can_go(location).found == []


def timed(what: str, work: Callable[[], Any]) -> Any:
    begun, busy = time.perf_counter(), time.process_time()
    result = work()
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    print(f"{what:<40} {took:8.2f} s, {busy:8.2f} s of the processor", flush=True)
    return result


def make(location: Location, n_models: int, n_points: int) -> None:
    content = {"study": {"name": "made"}, "task": {"name": "agreement"}}
    study = build_study(content)
    models = tuple(RecordedModel(f"seed-{n}", n, n, n, f"made model {n}") for n in range(n_models))
    facts = StudyFacts(
        name="made", file=study.model_dump(mode="json"), identity={"task": {"name": "agreement"}},
        metric="accuracy", label_names=("a", "b"), text_columns=("sentence",), base="made",
        base_folder="", precision="fp32", primary_diagnostic="validation:all:accuracy",
        primary_method="spectral", alphas=common_grid(n_points), models=models, datasets=(),
    )  # fmt: skip
    store = Store(location)
    record = write_study(store, facts)
    writer = _Writer(store, record.experiment_id, location)
    weights = {}
    for model in models:
        params = {"weights_digest": f"weights {model.name}"}
        weights[model.name] = writer.run("model", model.key, params, {"model/config.json": 500})
    for a, b in combinations(models, 2):
        key = path_key(a.key, b.key, "fp32")
        params = {
            "model_a": a.name, "model_b": b.name, "weights_digest_a": f"weights {a.name}",
            "weights_digest_b": f"weights {b.name}",
        }  # fmt: skip
        path = writer.run("path", key, params, {"curve.json": 2_000})
        for alpha in interior(facts.alphas):
            told = params | {"alpha": repr(alpha)}
            writer.run("point", point_key(key, alpha), told, {"predictions/x.parquet": 3_000}, path)
    writer.write()
    store.analyze()


class _Writer:
    """Inserts runs in bulk, with the files that they have."""

    def __init__(self, store: Store, experiment_id: str, location: Location) -> None:
        from mlflow.store.tracking.dbmodels.models import SqlParam, SqlRun, SqlTag

        self._inner = database_of(store)
        self._experiment = int(experiment_id)
        self._root = location.home / "artifacts" / "made"
        self._rows: dict[Any, list[dict[str, Any]]] = {
            table.__table__: [] for table in (SqlRun, SqlTag, SqlParam)
        }
        self._run, self._tag, self._param = self._rows

    def run(
        self,
        kind: str,
        key: str,
        params: dict[str, str],
        files: dict[str, int],
        parent: str | None = None,
    ) -> str:
        run_id = uuid.uuid4().hex
        folder = self._root / run_id / "artifacts"
        for name, size in files.items():
            (folder / name).parent.mkdir(parents=True)
            (folder / name).write_bytes(b"x" * size)
        tags = {KIND_TAG: kind, KEY_TAG: key, STUDY_TAG: "made", **_FILLING}
        if parent is not None:
            tags |= {PARENT_TAG: parent, GRID_TAG: "common"}
        self._rows[self._run].append(
            {
                "run_uuid": run_id, "name": key, "source_type": "UNKNOWN", "source_name": "",
                "entry_point_name": "", "user_id": "unknown", "status": "FINISHED",
                "start_time": now(), "end_time": now(), "deleted_time": None, "source_version": "",
                "lifecycle_stage": "active", "artifact_uri": folder.as_uri(),
                "experiment_id": self._experiment,
            }
        )  # fmt: skip
        for table, values in ((self._tag, tags), (self._param, params)):
            self._rows[table] += [
                {"key": name, "value": value, "run_uuid": run_id} for name, value in values.items()
            ]
        if len(self._rows[self._run]) >= _ROWS:
            self.write()
        return run_id

    def write(self) -> None:
        with self._inner.ManagedSessionMaker(read_only=False) as session:
            for table, rows in self._rows.items():
                if rows:
                    session.execute(table.insert(), rows)
                rows.clear()


def delete(location: Location) -> int:
    from mlflow.store.tracking.dbmodels.models import SqlRun
    from sqlalchemy import update

    from lmc_track.tracking.census import take_census

    store = Store(location)
    active = [r for r in take_census(store).runs if r.kind == "path" and not r.deleted]
    doomed = [run.run_id for run in active[::10]]
    with database_of(store).ManagedSessionMaker(read_only=False) as session:
        gone = {"lifecycle_stage": "deleted", "deleted_time": now()}
        session.execute(update(SqlRun).where(SqlRun.run_uuid.in_(doomed)).values(**gone))
    return len(doomed)


if __name__ == "__main__":
    main()
