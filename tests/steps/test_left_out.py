"""What does not count: models that failed, were dropped, or are not in the study file any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lmc_track
from lmc_track.errors import InputError
from lmc_track.execution import Placement
from lmc_track.models import callbacks
from lmc_track.models.callbacks import diverged
from lmc_track.progress import Silent
from lmc_track.report.findings import findings
from lmc_track.steps.drop import drop, undo_drop
from lmc_track.steps.dry_run import planned_work
from lmc_track.steps.gc import what_can_go
from lmc_track.steps.ingest import ingest
from lmc_track.steps.materialize import materialize_run
from lmc_track.steps.plane import check_models
from lmc_track.steps.status import study_status
from lmc_track.steps.studies import studies_of
from lmc_track.study.seeds import ModelSeeds
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.tags import FAILED_TAG, LEFT_OUT_TAG
from lmc_track.warehouse.results import Results
from support.stores import copied_home
from support.studies import measured, run_tiny, runs_of, tables_of, tiny_study

CHANCE = "accuracy 0.50, which is chance"
COUNT_FAILED: dict[str, Any] = {"evaluate": {"include_failed": True}}
DEFAULT: dict[str, Any] = {"evaluate": {"include_failed": False}}


class Told(Silent):
    """Keeps what users would be told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.notes)


@pytest.fixture
def copied(finished: Location, tmp_path: Path) -> Location:
    """A finished study that a test may change."""
    return copied_home(finished, tmp_path / "copied")


def judge(location: Location, *failed: str) -> None:
    """Let the models ``failed`` be those that were found to have failed."""
    for run in runs_of(location).all("model"):
        text = CHANCE if run.name in failed else "no"
        Store(location).client.set_tag(run.run_id, FAILED_TAG, text)


def results(location: Location) -> Results:
    return lmc_track.open(str(location.home))


def names(location: Location) -> list[str]:
    return results(location).query("models", study="tiny")["name"].to_list()


def counted(location: Location, what: str) -> tuple[Any, Any, Any]:
    (row,) = (row for row in study_status(location, disk=False).rows if row["what"] == what)
    return row["planned"], row["done"], row["missing"]


def test_models_are_judged_when_they_are_made(copied: Location) -> None:
    tags = [run.tags.get(FAILED_TAG) for run in runs_of(copied).all("model")]
    assert None not in tags
    # Models of four steps are at chance.
    assert any(str(tag).endswith("which is chance") for tag in tags)


def test_models_of_an_earlier_version_are_judged_by_the_next_run(copied: Location) -> None:
    client = Store(copied).client
    before = {run.name: run.tags[FAILED_TAG] for run in runs_of(copied).all("model")}
    for run in runs_of(copied).all("model"):
        client.delete_tag(run.run_id, FAILED_TAG)
    run_tiny(copied)
    assert {run.name: run.tags[FAILED_TAG] for run in runs_of(copied).all("model")} == before


def test_a_model_that_failed_is_in_no_path_cluster_or_summary(copied: Location) -> None:
    judge(copied, "seed-3")
    told = Told()
    outcome = run_tiny(copied, told, **DEFAULT)
    assert names(copied) == ["seed-0", "seed-1", "seed-2"]
    tables = tables_of(copied.results_path)
    assert tables["paths"].height == 3
    assert "seed-3" not in {*tables["paths"]["model_a"], *tables["paths"]["model_b"]}
    (chosen,) = results(copied).query("clusterings", study="tiny").filter("is_default").to_dicts()
    assert chosen["n_models"] == 3
    assert f"seed-3 failed: {CHANCE}; it is left out of clusters and summaries" in told.text
    assert f"seed-3 failed: {CHANCE}; it is left out of clusters and summaries" in "\n".join(
        outcome.report.findings
    )
    assert "Left out" in outcome.report.path.read_text("utf-8")


def test_a_model_that_failed_is_still_looked_at_by_itself(copied: Location) -> None:
    judge(copied, "seed-3")
    run_tiny(copied, **DEFAULT)
    tables = tables_of(copied.results_path)
    models = dict(tables["models"].select("name", "failed").iter_rows())
    assert models == {"seed-0": None, "seed-1": None, "seed-2": None, "seed-3": CHANCE}
    left = dict(tables["models"].select("name", "left_out").iter_rows())
    assert left["seed-3"] == "failed"
    (row,) = results(copied).query("left_out", study="tiny").to_dicts()
    assert (row["name"], row["reason"], row["why"]) == ("seed-3", "failed", CHANCE)
    assert row["validation_accuracy"] is not None


def test_a_failure_is_seen_in_mlflows_list_of_runs(copied: Location) -> None:
    judge(copied, "seed-3")
    run_tiny(copied, **DEFAULT)
    tags = {run.name: run.tags.get(LEFT_OUT_TAG) for run in runs_of(copied).all("model")}
    assert tags["seed-3"] == f"failed: {CHANCE}"
    assert tags["seed-0"] in (None, "no")
    shown = (
        Store(copied)
        .client.get_experiment_by_name("tiny")
        .tags["mlflow.sharedViewState.lmc-models"]
    )
    assert FAILED_TAG in shown
    assert LEFT_OUT_TAG in shown


def test_models_that_failed_count_where_the_study_says_so(copied: Location) -> None:
    judge(copied, "seed-3")
    before = measured(copied)
    run_tiny(copied, **DEFAULT)
    told = Told()
    outcome = run_tiny(copied, told, **COUNT_FAILED)
    assert names(copied) == ["seed-0", "seed-1", "seed-2", "seed-3"]
    after = measured(copied)
    for table in ("paths", "points", "curves", "barriers"):
        assert_frame_equal(before[table], after[table])
    assert "1 of 4 models failed and counts all the same" in "\n".join(outcome.report.findings)
    (chosen,) = results(copied).query("clusterings", study="tiny").filter("is_default").to_dicts()
    assert chosen["n_models"] == 4


def test_a_study_of_which_all_models_failed_says_that_first(copied: Location) -> None:
    judge(copied, "seed-0", "seed-1", "seed-2", "seed-3")
    told = Told()
    outcome = run_tiny(copied, told, **DEFAULT)
    first = outcome.report.findings[0]
    assert first.startswith("All 4 models failed, so there is nothing to compare: seed-0 (accuracy")
    assert outcome.clusterings == []
    page = outcome.report.path.read_text("utf-8")
    assert "All 4 models failed" in page
    assert names(copied) == []
    assert findings(results(copied), "tiny")[0] == first


def test_a_training_that_diverges_is_recorded_as_failed_and_the_others_go_on(
    home_with_base: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_with_base
    on_log = callbacks.Watch.on_log

    def exploding(self: Any, args: Any, state: Any, control: Any, logs: Any, **others: Any) -> None:
        if self._seeds == ModelSeeds(1, 1) and "loss" in logs:
            raise diverged(self._seeds, state.global_step)
        on_log(self, args, state, control, logs, **others)

    monkeypatch.setattr(callbacks.Watch, "on_log", exploding)
    told = Told()
    run_tiny(home, told, finetune={"seeds": "0-2"})
    monkeypatch.undo()
    assert "seed-1 failed: its training diverged" in told.text
    assert names(home) == ["seed-0", "seed-2"]  # without weights it cannot be counted
    assert counted(home, "model") == (2, 2, 0)
    assert counted(home, "path") == (1, 1, 0)
    runs = runs_of(home)
    again = run_tiny(home, finetune={"seeds": "0-2"})
    assert (again.models, again.paths) == (0, 0)  # it is not trained again for nothing
    assert len(runs_of(home).all("model")) == len(runs.all("model")) == 3
    same_as_anew(home)


def same_as_anew(location: Location) -> None:
    """The results are those that a new file has."""
    updated = tables_of(location.results_path)
    ingest(location, Silent(), everything=True)
    for name, frame in tables_of(location.results_path).items():
        assert_frame_equal(updated[name], frame, abs_tol=1e-9, rel_tol=1e-9)


def test_what_was_dropped_is_in_no_table_and_stays_on_record(copied: Location) -> None:
    runs = runs_of(copied)
    drop("tiny", ["seed-1"], copied, Silent(), why="diverged")
    assert names(copied) == ["seed-0", "seed-2", "seed-3"]
    tables = tables_of(copied.results_path)
    gone = runs.all("model")[1].run_id
    for name, frame in tables.items():
        if name != "left_out":
            strings = frame.select(pl.col(pl.String))
            values = {value for column in strings for value in column.to_list()}
            assert not {"seed-1", gone} & values, name
    (row,) = tables["left_out"].to_dicts()
    assert (row["name"], row["reason"], row["why"]) == ("seed-1", "dropped", "diverged")
    assert runs_of(copied).all("model")[1].tags[LEFT_OUT_TAG] == "dropped: diverged"
    assert len(runs_of(copied).finished()) == len(runs.finished())
    same_as_anew(copied)


def test_what_was_dropped_is_neither_planned_nor_missing(copied: Location) -> None:
    drop("tiny", ["seed-1"], copied, Silent())
    assert counted(copied, "model") == (3, 3, 0)
    assert counted(copied, "path") == (3, 3, 0)
    assert counted(copied, "point") == (6, 6, 0)
    told = Told()
    plan = planned_work(tiny_study(), copied, told, Placement())
    assert dict(plan.select("what", "planned").iter_rows())["paths"] == 3
    assert "Dropped from the study: seed-1 (undo: lmc-track drop tiny seed-1 --undo)" in told.text
    outcome = run_tiny(copied)
    assert (outcome.models, outcome.paths) == (0, 0)
    assert "seed-1 was dropped (3 models count)" in str(outcome.report.findings).lower()
    assert not [o for o in what_can_go(copied, 0.0).found if "orphan" in str(o.kind)]


def test_undoing_gives_back_what_was_there(copied: Location) -> None:
    before = tables_of(copied.results_path)
    drop("tiny", ["seed-1", "main_only"], copied, Silent())
    run_tiny(copied)
    undo_drop("tiny", ["seed-1", "main_only"], copied, Silent())
    after = tables_of(copied.results_path)
    for name in ("models", "paths", "points", "datasets", "evaluations", "left_out"):
        assert_frame_equal(before[name], after[name])
    clusterings = results(copied).query("clusterings", study="tiny")
    assert clusterings.filter("is_default")["n_models"].to_list() == [4]
    outcome = run_tiny(copied)
    assert (outcome.models, outcome.paths) == (0, 0)
    assert runs_of(copied).all("model")[1].tags[LEFT_OUT_TAG] == "no"


def test_a_diagnostic_that_was_dropped_is_in_no_table(copied: Location) -> None:
    drop("tiny", ["main_only"], copied, Silent())
    tables = tables_of(copied.results_path)
    assert tables["datasets"]["dataset"].to_list() == ["validation"]
    assert set(tables["evaluations"]["dataset"]) == {"validation"}
    assert counted(copied, "dataset") == (1, 1, 0)
    same_as_anew(copied)


def test_a_shorter_list_of_seeds_leaves_out_what_it_does_not_name(copied: Location) -> None:
    told = Told()
    outcome = run_tiny(copied, told, finetune={"seeds": "0-2"})
    assert (outcome.models, outcome.paths) == (0, 0)
    assert (
        "1 of the 4 models on record are not in the study file and are left out of everything: "
        "seed-3." in told.text
    )
    assert names(copied) == ["seed-0", "seed-1", "seed-2"]
    assert counted(copied, "model") == (3, 3, 0)
    assert counted(copied, "path") == (3, 3, 0)
    assert "seed-3 is not in the study file" in "\n".join(outcome.report.findings)
    again = Told()
    back = run_tiny(copied, again)
    assert (back.models, back.paths) == (0, 0)
    assert "In the study file again, and counted: seed-3." in again.text
    assert len(names(copied)) == 4


def test_a_shorter_list_of_diagnostics_leaves_out_what_it_does_not_name(copied: Location) -> None:
    run_tiny(copied, evaluate={"datasets": ["validation"]})
    assert tables_of(copied.results_path)["datasets"]["dataset"].to_list() == ["validation"]
    run_tiny(copied)
    assert set(tables_of(copied.results_path)["evaluations"]["dataset"]) == {
        "main_only",
        "validation",
    }
    same_as_anew(copied)


def test_checkpoints_on_the_way_go_with_the_model_they_became(home_with_base: Location) -> None:
    home = home_with_base
    run_tiny(home, finetune={"seeds": "0-1", "track_steps": [2]})
    drop("tiny", ["seed-1"], home, Silent())
    left = tables_of(home.results_path)["models"]["name"].to_list()
    assert sorted(left) == ["seed-0", "seed-0-step-2"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["seed-9"], "no model or evaluation set 'seed-9'(.|\n)*Did you mean seed"),
        (["validation"], "validation cannot be dropped"),
    ],
)
def test_what_cannot_be_dropped_is_refused(
    copied: Location, wanted: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        drop("tiny", wanted, copied, Silent())


def test_undoing_what_was_not_dropped_says_what_helps(copied: Location) -> None:
    with pytest.raises(InputError, match=r"not dropped(.|\n)*counts already"):
        undo_drop("tiny", ["seed-1"], copied, Silent())
    judge(copied, "seed-3")
    run_tiny(copied, **DEFAULT)
    with pytest.raises(InputError, match=r"not dropped(.|\n)*include_failed = true"):
        undo_drop("tiny", ["seed-3"], copied, Silent())
    run_tiny(copied, finetune={"seeds": "0-2"})
    with pytest.raises(InputError, match=r"not dropped(.|\n)*put it back"):
        undo_drop("tiny", ["seed-3"], copied, Silent())


def test_naming_a_dropped_model_says_that_it_was(copied: Location, tmp_path: Path) -> None:
    drop("tiny", ["seed-1"], copied, Silent(), why="diverged")
    with pytest.raises(InputError, match=r"'seed-1' is left out of the study: dropped \(diverged"):
        results(copied).query("curves", study="tiny", model_a="seed-1", model_b="seed-2")
    with pytest.raises(InputError, match=r"seed-1 is left out of the study \(dropped: diverged"):
        check_models("tiny", ["seed-0", "seed-1", "seed-2"], copied)
    # By its run it is still there: it was not deleted.
    run = runs_of(copied).all("model")[1]
    assert (materialize_run(run.run_id, tmp_path / "out", copied) / "config.json").exists()


def test_a_study_without_any_model_left_says_how_to_count_one_again(copied: Location) -> None:
    drop("tiny", [f"seed-{n}" for n in range(4)], copied, Silent())
    with pytest.raises(InputError, match=r"every model(.|\n)*drop tiny seed-0 --undo"):
        run_tiny(copied)


def test_studies_stand_side_by_side_with_what_they_leave_out(copied: Location) -> None:
    (whole,) = studies_of(copied).to_dicts()
    assert (whole["models"], whole["models_done"], whole["paths"], whole["paths_done"]) == (
        4,
        4,
        6,
        6,
    )
    assert whole["clusters"] is not None
    judge(copied, "seed-3")
    run_tiny(copied, **DEFAULT)
    drop("tiny", ["seed-0"], copied, Silent())
    (row,) = studies_of(copied).to_dicts()
    assert (row["models"], row["failed"], row["dropped"], row["not_in_file"]) == (2, 1, 1, 0)
    assert (row["paths"], row["paths_done"]) == (1, 1)
    assert row["changed"] >= whole["changed"]
