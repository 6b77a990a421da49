"""Which runs nothing will take up again, told from hand-made counts of a store."""

from __future__ import annotations

from typing import Any

import pytest

from lmc_track.steps.orphans import orphaned_runs
from lmc_track.tracking.census import Census, CountedExperiment, CountedRun
from lmc_track.tracking.studies import RecordedModel, StudyFacts

STUDY = CountedExperiment("1", "s", False, "", 0)


def facts(*names: str) -> StudyFacts:
    models = tuple(RecordedModel(name, n, n, n, f"key {name}") for n, name in enumerate(names))
    return StudyFacts(
        name="s", file={}, identity={}, metric="accuracy", label_names=(), text_columns=(),
        base="", base_folder="", precision="fp32", primary_diagnostic="", primary_method="",
        alphas=(), models=models, datasets=(),
    )  # fmt: skip


def run(run_id: str, kind: str, **values: Any) -> CountedRun:
    usual: dict[str, Any] = {
        "experiment_id": "1", "key": f"key {run_id}", "parent": "", "grid": "",
        "status": "FINISHED", "deleted": False, "artifact_uri": "", "changed": 0, "params": {},
    }  # fmt: skip
    return CountedRun(run_id=run_id, kind=kind, **{**usual, **values})


def path(run_id: str, weights_b: str = "w1", b: str = "b", **values: Any) -> CountedRun:
    params = {
        "model_a": "a", "model_b": b, "weights_digest_a": "w0", "weights_digest_b": weights_b,
    }  # fmt: skip
    return run(run_id, "path", params=params, **values)


A = run("a", "model", params={"weights_digest": "w0"})
B = run("b", "model", params={"weights_digest": "w1"})


def orphans(*runs: CountedRun) -> list[str]:
    found = orphaned_runs(Census((STUDY,), runs, ()), {"1": facts("a", "b")})
    return sorted(one.run_id for one in found)


def test_what_a_whole_study_has_is_kept() -> None:
    assert orphans(A, B, path("p"), run("x", "point", parent="p")) == []


@pytest.mark.parametrize("parent", ["gone", "", "p"])
def test_points_whose_path_is_gone_are_orphans(parent: str) -> None:
    assert orphans(A, B, path("p", deleted=True), run("x", "point", parent=parent)) == ["x"]


def test_points_of_an_interrupted_path_are_kept() -> None:
    interrupted = run("p", "path", status="RUNNING")
    assert orphans(A, B, interrupted, run("x", "point", parent="p")) == []


def test_a_path_of_a_model_that_the_study_does_not_have_goes_with_its_points() -> None:
    assert orphans(A, B, path("p", b="c"), run("x", "point", parent="p")) == ["p", "x"]


def test_a_path_of_other_weights_goes_with_its_points() -> None:
    assert orphans(A, B, path("p", "w2"), run("x", "point", parent="p")) == ["p", "x"]


def test_a_path_waits_for_a_model_that_was_deleted() -> None:
    deleted = run("b", "model", deleted=True, params={"weights_digest": "w9"})
    assert orphans(A, deleted, path("p"), run("x", "point", parent="p")) == []


def test_runs_outside_of_any_study_are_orphans() -> None:
    assert orphans(A, B, run("x", "model", experiment_id="0")) == ["x"]


def test_nothing_but_points_is_an_orphan_where_the_study_cannot_be_read() -> None:
    runs = (A, path("p", b="c"), run("x", "point", parent="gone"))
    found = orphaned_runs(Census((STUDY,), runs, ()), {})
    assert [one.run_id for one in found] == ["x"]
