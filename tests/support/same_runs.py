"""Runs as this program records them, compared field by field with those of MLflow's client."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar
from unittest.mock import patch

from lmc_track.tracking import recorder
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.location import Location
from lmc_track.tracking.recorder import MetricValue, Recorder
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store

READ = EvaluatedOn("validation", "d" * 64, "made", "evaluation")
NAMES = ("seed-0 to seed-1", "alpha 0.25", "alpha 0.5")
_NOW = 1_700_000_000_000

Item = TypeVar("Item")
Result = TypeVar("Result")


class OneByOne(Recorder):
    """Every call of MLflow's client after the one before."""

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        return [work(item) for item in items]


def assert_same_runs(location: Location) -> None:
    """Record a path with its points in two ways into the tracking store, and compare them.

    Every field of the runs is compared as MLflow's client reads it and, where the store is a
    database, every column of every row.
    """
    store = Store(location)
    mine, theirs = new_recorder(store, "mine"), new_recorder(store, "theirs", OneByOne)
    with patch.object(recorder, "now", lambda: _NOW):
        for one in (mine, theirs):
            with one.together():
                write(one)
    for read in (entities, rows) if location.artifact_root is not None else (entities,):
        found, expected = read(store, mine), read(store, theirs)
        assert found.keys() == expected.keys()
        for name, fields in expected.items():
            assert fields, name
            assert found[name] == fields, name


def new_recorder(store: Store, name: str, kind: type[Recorder] = Recorder) -> Recorder:
    """A recorder in the new experiment ``name``."""
    root = store.location.artifact_root
    place = None if root is None else f"{root}/{name}"
    return kind(store, "s", store.client.create_experiment(name, artifact_location=place))


def write(recorder: Recorder) -> None:
    """A path and two points with every kind of value."""
    path = recorder.start("path", "p", "first name", "A path; “quoted” & <b>.")
    recorder.log(path, params={"model_a": "seed-0", "modules": "all", "none": None})

    def point(alpha: float) -> None:
        name = f"alpha {alpha}"
        own = {"x": "", "mlflow.user": name}
        run = recorder.start("point", f"p@{alpha}", name, "note", parent=path.run_id, tags=own)
        recorder.log(run, params={"alpha": repr(alpha)}, metrics=[MetricValue("loss/v", alpha)])
        recorder.log(run, params={"alpha": repr(alpha)})
        recorder.log(run, metrics=[MetricValue("loss/v", 2 * alpha)], tags={"lmc.eval.v": "d"})
        recorder.finish(run, ended=_NOW + 7)

    recorder.each(point, (0.25, 0.5))
    curve = [MetricValue("loss/v", k / 7, step=k, timestamp=5) for k in (3, 1, 2)]
    odd = [float("nan"), float("inf"), -float("inf"), 1e-300, 0.1, -0.0, 1e308]
    recorder.log(path, metrics=[*curve, *curve, *(MetricValue("odd", v, timestamp=7) for v in odd)])
    for name, value in (("nan", float("nan")), ("up", float("inf")), ("down", -float("inf"))):
        recorder.log(path, metrics=[MetricValue(name, value), MetricValue(name, value)])
    recorder.log(path, metrics=[MetricValue("many", k / 3, step=-k) for k in range(1_200)])
    recorder.log(path, metrics=[MetricValue("whole", 3), MetricValue("late", 1.0, timestamp=0)])
    recorder.log(path, params={f"param {k}": k for k in range(120)})
    recorder.log(path, params={"long": "x" * 9_000}, tags={"last": "é" * 300, "x": "1"})
    recorder.log(path, tags={f"tag/{k}": str(k) for k in range(120)})
    recorder.log(path, tags={"mlflow.runName": NAMES[0]})
    recorder.log_inputs(path, [READ, READ, EvaluatedOn("other", "e" * 64, "made", "training")])
    recorder.log_inputs(path, [READ], [model(), model("")])
    recorder.log_inputs(path, [], [model()])
    recorder.finish(path, "FAILED", ended=_NOW + 9)


def model(logged_model: str = "m-1") -> RunEntry:
    """A model as a path knows it, with a LoggedModel or without."""
    run = RunEntry("0" * 32, "model", "m", "seed-0", "FINISHED", 0, 0, "")
    run.logged_model = logged_model or None
    return run


def entities(store: Store, recorder: Recorder) -> dict[str, Any]:
    """Every run of the recorder's experiment by its name, as MLflow's client reads it."""
    client = store.client
    found = client.search_runs([recorder._experiment_id], max_results=1_000)
    return {run.info.run_name: _read(store, recorder, run) for run in found}


def _read(store: Store, recorder: Recorder, run: Any) -> dict[str, Any]:
    words = _words(store, recorder)
    info = {k: _plain(v, words) for k, v in dict(run.info).items() if k != "experiment_id"}
    return {
        **info,
        "tags": {k: _plain(v, words) for k, v in run.data.tags.items()},
        "params": run.data.params,
        "metrics": {k: repr(v) for k, v in run.data.metrics.items()},
        "history": {
            name: sorted(
                (m.step, m.timestamp, repr(m.value))
                for m in store.client.get_metric_history(run.info.run_id, name)
            )
            for name in run.data.metrics
        },
        "datasets": sorted(
            (data.dataset.name, str(dict(data.dataset)), str([(t.key, t.value) for t in data.tags]))
            for data in run.inputs.dataset_inputs
        ),
        "models": [used.model_id for used in run.inputs.model_inputs],
        "outputs": [made.model_id for made in run.outputs.model_outputs] if run.outputs else [],
    }


def rows(store: Store, recorder: Recorder) -> dict[str, list[str]]:
    """Every row of the experiment's runs in every table, with names in the place of ids."""
    from sqlalchemy import MetaData, create_engine, or_, select

    engine = create_engine(store.location.tracking_uri)
    words = _words(store, recorder)
    known = MetaData()
    tables = (
        "runs", "tags", "params", "metrics", "latest_metrics", "datasets", "inputs", "input_tags",
    )  # fmt: skip
    known.reflect(engine, only=tables)
    experiment = int(recorder._experiment_id)
    runs, inputs, tags = (known.tables[name].c for name in ("runs", "inputs", "input_tags"))
    ids = select(runs.run_uuid).where(runs.experiment_id == experiment)
    linked = or_(inputs.source_id.in_(ids), inputs.destination_id.in_(ids))
    found = {}
    with engine.connect() as connection:
        for name in tables:
            table = known.tables[name]
            if name == "inputs":
                wanted = linked
            elif name == "input_tags":
                wanted = tags.input_uuid.in_(select(inputs.input_uuid).where(linked))
            elif "experiment_id" in table.c:
                wanted = table.c.experiment_id == experiment
            else:
                wanted = table.c.run_uuid.in_(ids)
            found[name] = sorted(
                str([(k, _plain(v, words)) for k, v in row._mapping.items() if k not in _PASSING])
                for row in connection.execute(select(table).where(wanted))
            )
        for data in connection.execute(
            select(known.tables["datasets"]).where(
                known.tables["datasets"].c.experiment_id == experiment
            )
        ):
            found["inputs"] = [r.replace(data.dataset_uuid, data.name) for r in found["inputs"]]
    engine.dispose()
    return found | {"inputs": sorted(found["inputs"])}


_PASSING = ("experiment_id", "input_uuid", "dataset_uuid")


def _words(store: Store, recorder: Recorder) -> dict[str, str]:
    """What ids and places are, by themselves."""
    experiment = store.client.get_experiment(recorder._experiment_id)
    found = store.client.search_runs([experiment.experiment_id], max_results=1_000)
    return {run.info.run_id: run.info.run_name for run in found} | {
        experiment.artifact_location: "ROOT"
    }


def _plain(value: Any, words: dict[str, str]) -> Any:
    if not isinstance(value, str):
        return repr(value)
    for old, new in words.items():
        value = value.replace(old, new)
    return value
