"""Clusterings on record: what they keep, that none takes another's place, and planted kinds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lmc_track
from lmc_track.metrics import GAP_METRICS
from lmc_track.progress import Silent
from lmc_track.steps.cluster import Gaps, declared_metric, lacking
from lmc_track.steps.ingest import ingest
from lmc_track.steps.run import cluster_step
from lmc_track.steps.threshold import threshold_settings
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.warehouse.matrices import GapMatrix
from support.stores import empty_home
from support.studies import run_tiny, runs_of, tiny_study


def recorded(run: RunEntry) -> Path:
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    return folder / "clusters.json"


def by_method(location: Location) -> dict[str, RunEntry]:
    return {run.params["method"]: run for run in runs_of(location).all("clusters")}


@pytest.fixture(scope="module")
def planted(finished: Location, tmp_path_factory: pytest.TempPathFactory) -> Location:
    """A tiny control whose kinds are planted, clustered twice with other settings."""
    location = empty_home(tmp_path_factory.mktemp("planted"))
    shutil.copytree(finished.cache / "base", location.cache / "base")
    task: dict[str, Any] = {"planted_share": 0.5}
    two = {"seeds": "0-1"}
    run_tiny(location, task=task, finetune=two)
    study = tiny_study(task=task, finetune=two, cluster={"resamples": 299})
    ingest(location, Silent())
    cluster_step(study, location, Silent())
    ingest(location, Silent())
    return location


def test_planted_kinds_have_training_data_of_their_own(planted: Location) -> None:
    models = runs_of(planted).all("model")
    kinds = {run.params["planted_kind"] for run in models}
    digests = {(run.params["planted_kind"], run.params["training_data_digest"]) for run in models}
    assert kinds == {"main", "embedded"}
    assert len({digest for _, digest in digests}) == len(digests) == 2


def test_planted_kinds_are_a_clustering_that_others_are_compared_with(planted: Location) -> None:
    results = lmc_track.open(planted.home)
    models = results.query("models", clustering="planted")
    assert models.select("name", "cluster").rows() == [("seed-0", 0), ("seed-1", 1)]
    row = results.sql("SELECT * FROM clusterings WHERE method = 'planted'").row(0, named=True)
    assert json.loads(row["settings"]) == {"kinds": ["main", "embedded"]}
    assert (row["half"], row["dataset"]) == (None, None)
    assert results.query("clusterings").filter("is_default")["method"].item() == "verdict"


def test_a_clustering_never_takes_the_place_of_another(planted: Location) -> None:
    clusterings = lmc_track.open(planted.home).query("clusterings")
    verdicts = clusterings.filter(pl.col("method") == "verdict")
    assert {json.loads(text)["resamples"] for text in verdicts["settings"]} == {99, 299}
    assert clusterings.height == 5
    assert clusterings["clustering_id"].n_unique() == 5


def test_models_without_planted_kinds_have_no_such_clustering(finished: Location) -> None:
    assert "planted" not in by_method(finished)
    assert all("planted_kind" not in run.params for run in runs_of(finished).all("model"))


def test_the_record_keeps_places_bases_and_co_assignments(finished: Location) -> None:
    content = json.loads(recorded(by_method(finished)["verdict"]).read_text())
    statistics = content["statistics"]
    assert {len(place) for place in content["embedding"].values()} == {2}
    assert {basis["metric"] for basis in statistics["bases"]} == set(GAP_METRICS)
    assert [basis["metric"] for basis in statistics["bases"] if basis["declared"]] == ["error"]
    results = lmc_track.open(finished.home)
    assert results.query("cluster_bases").height == 3
    if statistics["k"] is not None:
        assert len(content["co_assignments"]["by_models"]) == 6
        assert results.query("stability")["own_by_models"].null_count() == 0


def test_the_published_procedure_is_embedded_in_two_dimensions(finished: Location) -> None:
    rows = lmc_track.open(finished.home).query("embedding", clustering="juneja2023")
    assert rows["coordinates"].list.len().to_list() == [2] * 4
    assert (rows["axis"] <= 0).to_list() == [cluster == 0 for cluster in rows["cluster"]]


def test_a_record_of_before_embeddings_is_still_taken_in(
    planted: Location,
) -> None:
    """The first version of clusters.json: memberships, settings and a few statistics."""
    runs = runs_of(planted).all("clusters")
    kept = [recorded(run).read_text() for run in runs]
    new = {"embedding", "centroid_distances", "co_assignments"}
    old = {"n_clusters", "delta", "silhouette", "p_value", "permutations", "decision"}
    try:
        for run, text in zip(runs, kept, strict=True):
            content = {k: v for k, v in json.loads(text).items() if k not in new}
            content["statistics"] = {k: v for k, v in content["statistics"].items() if k in old}
            recorded(run).write_text(json.dumps(content))
        ingest(planted, Silent())
        results = lmc_track.open(planted.home)
        assert results.query("clusterings").height == 5
        places = results.query("embedding", clustering="juneja2023")
        assert places["cluster"].null_count() == 0
        assert places["coordinates"].to_list() == [None] * 2
        for name in ("cluster_choices", "stability", "co_assignments"):
            assert results.query(name).is_empty()
    finally:
        for run, text in zip(runs, kept, strict=True):
            recorded(run).write_text(text)
        ingest(planted, Silent())


def _gaps(**unknown: str) -> Gaps:
    """Gaps of two models by halves, but for those of one metric and half, if one is named."""
    keys = [(metric, half) for metric in GAP_METRICS for half in ("discovery", "held-out")]
    matrices = {}
    for metric, half in keys:
        gap = np.nan if unknown.get(metric) == half else 0.1
        matrices[metric, half] = GapMatrix(("a", "b"), ("1", "2"), np.array([[0, gap], [gap, 0]]))
    return Gaps(("a", "b"), matrices, ("discovery", "held-out"))


@pytest.mark.parametrize("method", ["verdict", "threshold"])
def test_a_half_without_examples_is_told_and_not_clustered(method: str) -> None:
    told = lacking(tiny_study(), _gaps(loss="held-out"), method)
    assert told.startswith(f"{method} was not run: no example of validation is in the held-out")
    assert lacking(tiny_study(), _gaps(loss="held-out"), "juneja2023") == ""


def test_threshold_needs_the_errors_of_paths_or_a_tolerance_in_loss() -> None:
    by_error = tiny_study(cluster={"tau": None})
    told = lacking(by_error, _gaps(error="discovery"), "threshold")
    assert "threshold was not run" in told
    assert "cluster.tau" in told
    assert lacking(by_error, _gaps(), "threshold") == ""
    assert lacking(tiny_study(cluster={"tau": 0.1}), _gaps(error="discovery"), "threshold") == ""


def test_threshold_joins_by_the_loss_where_its_tolerance_is_given() -> None:
    by_error = threshold_settings(tiny_study(cluster={"tau": None}))
    assert by_error == {"tau": 0.02, "metric": "error"}
    by_loss = threshold_settings(tiny_study(cluster={"tau": 0.1}))
    assert by_loss == {"tau": 0.1, "metric": "loss"}


def test_the_verdict_is_about_the_loss_where_nothing_else_is_known() -> None:
    assert declared_metric(tiny_study(), _gaps()) == "error"
    assert declared_metric(tiny_study(), _gaps(error="held-out")) == "loss"
