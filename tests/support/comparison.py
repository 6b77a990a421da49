"""A whole study as MLflow and the results hold it, in words that are the same in every store.

Ids are replaced by what they are of, and what says when, by whom or where is left out.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import polars as pl

from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from support.studies import runs_of, tables_of

_ID = re.compile(r"\b(?:m-)?[0-9a-f]{32}\b")
_EXPERIMENT = re.compile(r"(?<=experiments/)\d+")
_KINDS = ("study", "dataset", "model", "path", "point", "plane", "clusters", "report")
_PASSING_COLUMNS = {"created", "seconds", "versions", "experiment_id"}
_PASSING_METRICS = ("train/seconds",)
# A run goes by its key here, but for a report's.
_PASSING_TAGS = ("lmc.key", "lmc.versions", "mlflow.source.git.commit", "mlflow.user")


def names_of(location: Location, study: str = "tiny") -> dict[str, str]:
    """What every run and LoggedModel of the study is, by its id."""
    index = runs_of(location, study)
    runs = [run for kind in _KINDS for run in index.all(kind)]
    # A report's key is made of ids, and a study has one.
    names = {run.run_id: f"{run.kind} {'' if run.kind == 'report' else run.key}" for run in runs}
    logged = {run.logged_model: f"logged {run.key}" for run in runs if run.logged_model}
    return names | logged


def recorded(location: Location, study: str = "tiny") -> dict[str, dict[str, Any]]:
    """Every field of every run: by what the run is of."""
    client = Store(location).client
    experiment = client.get_experiment_by_name(study)
    names = names_of(location, study)
    runs = client.search_runs([experiment.experiment_id], max_results=1_000)
    return {names[run.info.run_id]: _fields(client, run, names) for run in runs}


def _fields(client: Any, run: Any, names: dict[str, str]) -> dict[str, Any]:
    metrics = {k: v for k, v in run.data.metrics.items() if k not in _PASSING_METRICS}
    history = {
        name: sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, name))
        for name in metrics
    }
    fields = {
        "name": run.info.run_name,
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "in order": run.info.start_time <= run.info.end_time,
        "params": run.data.params,
        # Files hold times and ids, so digests are compared by their names alone.
        "tags": {
            k: "" if k.startswith("lmc.sha256.") else v
            for k, v in run.data.tags.items()
            if k not in _PASSING_TAGS
        },
        "metrics": metrics,
        "history": history,
        "datasets": {
            data.dataset.name: [dict(data.dataset), [[tag.key, tag.value] for tag in data.tags]]
            for data in run.inputs.dataset_inputs
        },
        "models": sorted(names[used.model_id] for used in run.inputs.model_inputs),
        "files": sorted(_files(client, run.info.run_id)),
    }
    return json.loads(_renamed(json.dumps(fields), names))  # type: ignore[no-any-return]


def _files(client: Any, run_id: str, folder: str | None = None) -> list[str]:
    found = []
    for file in client.list_artifacts(run_id, folder):
        found += _files(client, run_id, file.path) if file.is_dir else [file.path]
    return found


def _renamed(text: str, names: dict[str, str]) -> str:
    """``text`` with names in the place of ids; ids of nothing known stay, and so are noticed."""
    named = _ID.sub(lambda found: names.get(found[0], found[0]), text)
    return _EXPERIMENT.sub("N", named)


def tables(location: Location, study: str = "tiny") -> dict[str, pl.DataFrame]:
    """Every table and view of the results, with names in the place of ids."""
    names = names_of(location, study)
    return {
        name: _comparable(frame, names)
        for name, frame in tables_of(location.results_path).items()
        if name != "schema_version"
    }


def _comparable(frame: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    kept = frame.drop(_PASSING_COLUMNS & set(frame.columns))
    named = kept.with_columns(pl.col(pl.String).replace(names))
    order = [name for name, kind in named.schema.items() if not kind.is_nested()]
    return named.sort(order, nulls_last=True)


def difference(mine: Any, theirs: Any, where: str = "") -> str | None:
    """The first place where two structures differ by more than what computing again makes."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        if mine.keys() != theirs.keys():
            return f"{where}: only in one of them: {sorted(mine.keys() ^ theirs.keys())}"
        pairs = ((mine[key], theirs[key], f"{where}/{key}") for key in mine)
        return next(filter(None, (difference(*pair) for pair in pairs)), None)
    if isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        pairs = ((a, b, f"{where}[{n}]") for n, (a, b) in enumerate(zip(mine, theirs, strict=True)))
        return next(filter(None, (difference(*pair) for pair in pairs)), None)
    if isinstance(mine, float) and isinstance(theirs, float):
        same = math.isclose(mine, theirs, abs_tol=1e-5) or (math.isnan(mine) and math.isnan(theirs))
    else:
        same = mine == theirs
    return None if same else f"{where}: {mine!r} is not {theirs!r}"
