"""Putting a plane on record: a run with a table of its points and a summary of the whole."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lmc_track.geometry.planes import PlaneFrame, PlaneGrid, plane_grid
from lmc_track.geometry.routes import Place, Route, best_routes
from lmc_track.steps.plane_works import MeasuredRows, PlaneWork
from lmc_track.steps.planning import Plan
from lmc_track.tracking.artifact_reading import read_json
from lmc_track.tracking.artifact_shapes import PlaneFile
from lmc_track.tracking.keys import digest
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import EVAL_TAG, FILE_TAG, slot

PLANE_FILE, SUMMARY_FILE = "plane.parquet", "plane.json"
PAIRS = {(0, 1): "ab", (0, 2): "ac", (1, 2): "bc"}
POSITIONS = ("x_b", "x_c", "y_c")


def known_frame(run: RunEntry | None) -> PlaneFrame | None:
    """The frame that the plane was begun with; None where it was not."""
    if run is None or not set(POSITIONS) <= run.metrics.keys():
        return None
    return PlaneFrame(*(run.metrics[name] for name in POSITIONS))


def begin_plane(plan: Plan, record: StudyRecord, work: PlaneWork, frame: PlaneFrame) -> RunEntry:
    """The plane's run: the one there is, or a new one that says what is being measured."""
    run = work.run
    if run is None:
        stale = [one for one in record.index.unfinished("plane") if one.key == work.key]
        record.recorder.delete(stale)
        run = record.recorder.start("plane", work.key, _name(work), _note(work))
    if not run.finished:  # one taken up again may have been stopped before it had any
        record.recorder.log(
            run,
            params=_identity(plan, work),
            metrics=[
                MetricValue(name, value, 0, run.start_time)
                for name, value in _geometry(frame).items()
            ],
        )
    return run


def _name(work: PlaneWork) -> str:
    return f"plane {', '.join(work.names)}"


def _note(work: PlaneWork) -> str:
    a, b, c = work.names
    n = work.grid.points
    return (
        f"Loss and accuracy on the plane through the weights of {a}, {b} and {c}, at {n} × {n} "
        f"points. In distances of weights, x runs from {a} to {b} and y from their line to {c}. "
        "plane.parquet has a row for each point and data set, plane.json the models' places and "
        "the best routes between them over the grid."
    )


def _identity(plan: Plan, work: PlaneWork) -> dict[str, object]:
    """All that is needed to rebuild the weights of any point of the plane."""
    params: dict[str, object] = {}
    for side, model, run in zip("abc", work.models, work.runs, strict=True):
        params[f"model_{side}"] = model.name
        params[f"model_{side}_run"] = run.run_id
        params[f"weights_digest_{side}"] = run.params["weights_digest"]
    return {
        **params,
        "precision": plan.precision,
        "grid": work.grid.points,
        "margin": work.grid.margin,
    }


def _geometry(frame: PlaneFrame) -> dict[str, float]:
    named = zip(PAIRS.values(), frame.distances, strict=True)
    return {
        **{name: getattr(frame, name) for name in POSITIONS},
        **{f"distance_{pair}": distance for pair, distance in named},
        "area": frame.area,
    }


def tell_progress(record: StudyRecord, run: RunEntry, rows: int, of: PlaneWork) -> None:
    """Let whoever watches the run see how many points are measured."""
    if not run.finished:
        done = MetricValue("points", rows * of.grid.points, rows)
        record.recorder.log(run, metrics=[done])


def record_plane(
    plan: Plan,
    record: StudyRecord,
    work: PlaneWork,
    frame: PlaneFrame,
    run: RunEntry,
    rows: MeasuredRows,
) -> None:
    """Points first, whole; then numbers; then the tags that make the data sets count.

    Data sets that are added later are another file.
    """
    grid = plane_grid(frame, work.grid.points, work.grid.margin)
    points = _points(work, frame, grid, rows)
    digests = {name: plan.encoded[name].digest for name in work.missing}
    added = run.finished
    file_name = f"plane-{digest(digests)[:16]}.parquet" if added else PLANE_FILE
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / file_name
        points.write_parquet(file, compression="zstd")
        record.artifacts.put(run.run_id, run.artifact_uri, file, file_name)
    tags = {FILE_TAG + name: file_name for name in digests}
    tags |= {EVAL_TAG + name: value for name, value in digests.items()}
    routes = {
        name: _routes(plan, record, work, frame, grid, points.filter(dataset=name))
        for name in work.missing
    }
    content = _summary(record, run, work, frame, grid, routes)
    record.artifacts.put_json(run.run_id, run.artifact_uri, content, SUMMARY_FILE)
    metrics = [*_measures(points, routes, run.start_time)]
    if added:
        tags = record.recorder.raised_revision(run) | tags
    record.recorder.log(run, metrics=metrics, tags=tags)
    if not added:
        record.recorder.finish(run)
        record.index.add(run)
    rows.forget()


def _points(
    work: PlaneWork, frame: PlaneFrame, grid: PlaneGrid, rows: MeasuredRows
) -> pl.DataFrame:
    """A row for each data set and point; ``a``, ``b`` and ``c`` are shares of the models."""
    table = []
    for name in work.missing:
        for j, y in enumerate(grid.ys):
            for i, (x, numbers) in enumerate(zip(grid.xs, rows.read(j, name), strict=True)):
                a, b, c = frame.shares(x, y)
                where = {"i": i, "j": j, "x": x, "y": y, "a": a, "b": b, "c": c}
                table.append({**where, "dataset": name, **numbers})
    return pl.DataFrame(table, schema_overrides={"i": pl.Int32, "j": pl.Int32})


def _routes(
    plan: Plan,
    record: StudyRecord,
    work: PlaneWork,
    frame: PlaneFrame,
    grid: PlaneGrid,
    points: pl.DataFrame,
) -> dict[str, Route | None]:
    name = f"loss/{slot(points['dataset'][0], plan.precision, record.facts.precision)}"
    models = [
        Place(x, y, run.metrics[name])
        for (x, y), run in zip(frame.positions, work.runs, strict=True)
    ]
    losses = np.reshape(points.sort("j", "i")["loss"].to_numpy(), (len(grid.ys), len(grid.xs)))
    found = best_routes(grid.xs, grid.ys, losses, models)
    return {PAIRS[pair]: route for pair, route in found.items()}


def _measures(
    points: pl.DataFrame, routes: Mapping[str, Mapping[str, Route | None]], at: int
) -> list[MetricValue]:
    values = []
    for name, found in routes.items():
        losses = points.filter(dataset=name)["loss"].to_numpy()
        values.append(MetricValue(f"min_loss/{name}", float(np.min(losses)), 0, at))
        values.append(MetricValue(f"max_loss/{name}", float(np.max(losses)), 0, at))
        for pair, route in found.items():
            if route is not None:
                values.append(MetricValue(f"route_loss_{pair}/{name}", route.loss, 0, at))
                values.append(MetricValue(f"route_barrier_{pair}/{name}", route.barrier, 0, at))
    return values


def _summary(
    record: StudyRecord,
    run: RunEntry,
    work: PlaneWork,
    frame: PlaneFrame,
    grid: PlaneGrid,
    routes: Mapping[str, Mapping[str, Route | None]],
) -> dict[str, Any]:
    """What ``plane.json`` holds: the whole plane without its points, all data sets together."""
    told = {
        name: {pair: None if route is None else _route(route) for pair, route in found.items()}
        for name, found in routes.items()
    }
    if run.finished:
        told = read_routes(record, run) | told
    return {
        "models": dict(zip("abc", work.names, strict=True)),
        "precision": run.params["precision"],
        "grid": {"points": work.grid.points, "margin": work.grid.margin},
        "x": list(grid.xs),
        "y": list(grid.ys),
        **_geometry(frame),
        "routes": told,
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "loss": route.loss,
        "barrier": route.barrier,
        "length": route.length,
        "x": list(route.xs),
        "y": list(route.ys),
    }


def read_routes(record: StudyRecord, run: RunEntry) -> dict[str, Any]:
    """The best routes that the plane's ``plane.json`` has, by data set and pair."""
    file = record.artifacts.get(run.run_id, run.artifact_uri, SUMMARY_FILE, immutable=False)
    routes: dict[str, Any] = read_json(run, file, PlaneFile).model_dump()["routes"]
    return routes
