"""Where things are in the MLflow UI: addresses, saved views, and what an experiment says of itself.

Saved views are those of the menu *Views* above the run table: MLflow keeps each in a tag of the
experiment. An MLflow that does not know them shows its usual table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from lmc_track.plain_text import markdown_escaped
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.tags import FAILED_TAG, KIND_TAG, LEFT_OUT_TAG, NOTE_TAG

VIEW_TAG = "mlflow.sharedViewState."
FIRST_VIEW = "lmc-first"
"""The saved view that links to a study open: without one MLflow shows the newest of everything."""
# Without it MLflow opens an experiment as one of prompts and traces, which shows nothing here.
_WORKFLOW = {"workflowType": "machine_learning"}
# Kinds before "model" in the alphabet, by which MLflow orders them, and points, which are below
# their paths.
_NOT_FIRST = ("clusters", "dataset", "point")
_WIDTH = 190
"""Pixels of a column, such that names like convexity_gap/validation can be read."""


def experiments_page() -> str:
    """The page of all experiments, relative to the server."""
    return f"#/experiments?{urlencode(_WORKFLOW)}"


def experiment_page(experiment_id: str, view: str | None = None) -> str:
    """The run table of an experiment, relative to the server; ``view`` is the id of a saved one."""
    options = _WORKFLOW if view is None else {**_WORKFLOW, "viewStateShareKey": view}
    return f"#/experiments/{experiment_id}/runs?{urlencode(options)}"


def first_page(store: Store, experiment_id: str) -> str:
    """The page that an experiment is opened at: models, then paths.

    A study of an earlier version has no such view before it is run again; MLflow then shows its
    usual table.
    """
    with reporting(store.location):
        tags = store.client.get_experiment(experiment_id).tags
    return experiment_page(experiment_id, FIRST_VIEW if VIEW_TAG + FIRST_VIEW in tags else None)


def run_page(experiment_id: str, run_id: str, tab: str = "") -> str:
    """The page of a run, relative to the server; ``tab`` such as ``model-metrics``."""
    where = f"{run_id}/{tab}" if tab else run_id
    return f"#/experiments/{experiment_id}/runs/{where}?{urlencode(_WORKFLOW)}"


def run_link(experiment_id: str, run_id: str, name: str) -> str:
    """A Markdown link to a run's page, for notes."""
    return f"[{markdown_escaped(name)}]({run_page(experiment_id, run_id)})"


@dataclass(frozen=True)
class SavedView:
    """A run table of one kind of run: a filter, an order, the columns that matter."""

    id: str
    name: str
    filter: str
    order_by: str
    ascending: bool
    columns: tuple[str, ...]


def saved_views(
    datasets: Sequence[str], metric: str, primary_dataset: str, primary_metric: str
) -> tuple[SavedView, ...]:
    """The views of a study with these evaluation sets.

    Models are ordered by the primary diagnostic, paths by the gap of the validation loss, the
    widest first. The view that a study opens at has models, then paths, then what comes of them.
    """
    names = dict.fromkeys(("validation", *datasets))
    first = f"{primary_metric}/{primary_dataset}"
    scores = dict.fromkeys(
        [first, *(f"{one}/{name}" for one in dict.fromkeys((metric, "loss")) for name in names)]
    )
    gaps = [f"convexity_gap/{name}" for name in names]
    others = " AND ".join(f"{_kind()} != '{kind}'" for kind in ("model", "path", "point"))
    return (
        SavedView(
            "lmc-models",
            "Models",
            f"{_kind()} = 'model'",
            _metric(first),
            False,
            (*(_metric(name) for name in scores), _tag(FAILED_TAG), _tag(LEFT_OUT_TAG)),
        ),
        SavedView(
            "lmc-paths",
            "Paths, widest gap first",
            f"{_kind()} = 'path'",
            _metric("convexity_gap/validation"),
            False,
            (
                *(_metric(name) for name in (*gaps, "barrier_height/validation", "l2_distance")),
                "params.`modules`",
            ),
        ),
        SavedView(
            "lmc-rest",
            "Study, data, clusters, report",
            others,
            "attributes.start_time",
            False,
            (_kind(), _metric("n_clusters"), "params.`n_examples`"),
        ),
        SavedView(
            FIRST_VIEW,
            "Models, then paths",
            " AND ".join(f"{_kind()} != '{kind}'" for kind in _NOT_FIRST),
            _kind(),
            True,
            (_kind(), _metric(first), _metric("convexity_gap/validation")),
        ),
    )


def describe_experiment(
    store: Store,
    experiment_id: str,
    description: str,
    views: Sequence[SavedView],
    before: str | None = None,
) -> None:
    """Let the experiment's page tell what is in it.

    A note that is there already stays, but for a description that is the one ``before``: others
    were written by the study's readers.
    """
    with reporting(store.location):
        experiment = store.client.get_experiment(experiment_id)
        tags = _view_tags(views, experiment.creation_time or 0)
        note = experiment.tags.get(NOTE_TAG)
        if note is None:
            tags[NOTE_TAG] = _note(experiment_id, description, views)
        elif before is not None and description_in(note) == before:
            tags[NOTE_TAG] = redescribed(note, description)
        for name, value in tags.items():
            if experiment.tags.get(name) != value:
                store.client.set_experiment_tag(experiment_id, name, value)


def _view_tags(views: Sequence[SavedView], made: int) -> dict[str, str]:
    """The tags that hold ``views``; ``made`` in milliseconds since 1970."""
    return {
        VIEW_TAG + view.id: json.dumps(
            {
                "name": view.name,
                "createdAt": made,
                "updatedAt": made,
                "state": json.dumps(
                    {
                        "searchFilter": view.filter,
                        "orderByKey": view.order_by,
                        "orderByAsc": view.ascending,
                        "selectedColumns": view.columns,
                        "columnOrder": view.columns,
                        "columnWidths": dict.fromkeys(view.columns, _WIDTH),
                    }
                ),
            }
        )
        for view in views
    }


_ABOUT = "\n\nA run is a model, the path between two models (its points are below it), "


def _note(experiment_id: str, description: str, views: Sequence[SavedView]) -> str:
    """What the experiment's page says above the run table, in Markdown."""
    links = ", ".join(f"[{view.name}]({experiment_page(experiment_id, view.id)})" for view in views)
    return (
        f"{description}{_ABOUT}an evaluation "
        "set, a clustering or a report; every run's description says which and where to look. "
        f"Tables, also under *Views*: {links}."
    )


def description_in(note: str) -> str:
    """What ``note`` says of a study, in Markdown, before it goes on about runs."""
    return note.partition(_ABOUT)[0].strip()


def redescribed(note: str, description: str) -> str:
    """``note`` with another description, in Markdown, in the place of the one it has."""
    _, about, rest = note.partition(_ABOUT)
    return f"{description}{about}{rest}"


def _kind() -> str:
    return _tag(KIND_TAG)


def _tag(name: str) -> str:
    return f"tags.`{name}`"


def _metric(name: str) -> str:
    return f"metrics.`{name}`"
