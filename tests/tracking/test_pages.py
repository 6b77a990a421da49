"""What the MLflow UI is told of a study: its views, and the text of its experiment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lmc_track.tracking.pages import (
    VIEW_TAG,
    describe_experiment,
    experiment_page,
    first_page,
    saved_views,
)
from lmc_track.tracking.store import Store
from support.stores import empty_home


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(empty_home(tmp_path / "home"))


def tags_of(store: Store, experiment_id: str) -> dict[str, str]:
    return dict(store.client.get_experiment(experiment_id).tags)


def test_every_view_can_be_read_as_mlflow_reads_it(store: Store) -> None:
    views = saved_views(["validation", "hans"], "f1", "hans", "accuracy")
    experiment_id = store.client.create_experiment("s")
    describe_experiment(store, experiment_id, "A study.", views)
    tags = tags_of(store, experiment_id)
    for view in views:
        saved = json.loads(tags[VIEW_TAG + view.id])
        assert saved["name"] == view.name
        state = json.loads(saved["state"])
        assert state["orderByKey"] in (*state["selectedColumns"], "attributes.start_time")
        assert store.client.search_runs([experiment_id], state["searchFilter"]) == []


def test_models_are_ordered_by_the_primary_diagnostic() -> None:
    models = saved_views(["validation", "hans"], "f1", "hans", "accuracy")[0]
    assert models.order_by == "metrics.`accuracy/hans`"
    assert models.columns[:3] == (
        "metrics.`accuracy/hans`", "metrics.`f1/validation`", "metrics.`f1/hans`",
    )  # fmt: skip


def test_a_new_data_set_gets_its_columns_and_a_note_of_the_users_stays(store: Store) -> None:
    experiment_id = store.client.create_experiment("s")
    views = saved_views(["validation"], "accuracy", "validation", "accuracy")
    describe_experiment(store, experiment_id, "A study.", views)
    assert tags_of(store, experiment_id)["mlflow.note.content"].startswith("A study.\n\n")
    store.client.set_experiment_tag(experiment_id, "mlflow.note.content", "Mine.")
    views = saved_views(["validation", "other"], "accuracy", "validation", "accuracy")
    describe_experiment(store, experiment_id, "A study.", views)
    tags = tags_of(store, experiment_id)
    assert tags["mlflow.note.content"] == "Mine."
    assert "convexity_gap/other" in tags[f"{VIEW_TAG}lmc-paths"]


def test_a_study_opens_at_models_then_paths(store: Store) -> None:
    experiment_id = store.client.create_experiment("s")
    assert "viewStateShareKey" not in first_page(store, experiment_id)
    views = saved_views(["validation"], "accuracy", "validation", "accuracy")
    describe_experiment(store, experiment_id, "A study.", views)
    assert "viewStateShareKey=lmc-first" in first_page(store, experiment_id)
    state = json.loads(json.loads(tags_of(store, experiment_id)[f"{VIEW_TAG}lmc-first"])["state"])
    for kind in ("path", "clusters", "model", "report", "dataset", "path", "point", "model"):
        store.client.create_run(experiment_id, tags={"lmc.kind": kind})
    order = f"{state['orderByKey']} {'ASC' if state['orderByAsc'] else 'DESC'}"
    runs = store.client.search_runs([experiment_id], state["searchFilter"], order_by=[order])
    kinds = [run.data.tags["lmc.kind"] for run in runs]
    assert kinds == ["model", "model", "path", "path", "report"]


def test_an_address_names_the_experiment_and_the_view() -> None:
    page = experiment_page("7", "lmc-paths")
    assert page.startswith("#/experiments/7/runs?")
    assert "workflowType=machine_learning" in page
    assert "viewStateShareKey=lmc-paths" in page
