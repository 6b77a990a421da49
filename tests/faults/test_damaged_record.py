"""Files of the record that were damaged: said by name with what to do, and never computed with."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from support.forked_programs import Programs
from support.studies import runs_of, tables_of
from support.undisturbed import Undisturbed, assert_as_undisturbed

pytestmark = pytest.mark.full


def cut(file: Path) -> None:
    with file.open("rb+") as stream:
        stream.truncate(file.stat().st_size // 2)


def flipped(file: Path) -> None:
    """Every 97th byte of the first nine tenths is another one."""
    content = bytearray(file.read_bytes())
    for position in range(8, 9 * len(content) // 10, 97):
        content[position] ^= 0x5A
    file.write_bytes(content)


def one_bit(file: Path) -> None:
    """A single bit, somewhere in the middle."""
    content = bytearray(file.read_bytes())
    content[random.Random(3).randrange(len(content) // 4, len(content) // 2)] ^= 0x10
    file.write_bytes(content)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def artifact(run: RunEntry, pattern: str) -> Path:
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    return next(folder.glob(pattern))


def delete(location: Location, run: RunEntry) -> None:
    """As a user does in the MLflow UI."""
    Store(location).client.delete_run(run.run_id)


PREDICTIONS = "predictions/*.parquet"


def removed(file: Path) -> None:
    file.unlink()


def without_stamps(location: Location) -> None:
    """Make the record one of a version that kept no digests."""
    with sqlite3.connect(location.home / "mlflow.db") as connection:
        connection.execute("DELETE FROM tags WHERE key LIKE 'lmc.sha256.%'")
    connection.close()


def import_scores(lmc: Programs, location: Location, folder: Path) -> None:
    """Add the study ``scores``, of which only values are known."""
    (folder / "scores.csv").write_text("run,validation\na,.8\nb,.9\n")
    at = ("--home", str(location.home))
    lmc("import", "scores", str(folder / "scores.csv"), "--study", "scores", *at).went_well()


def evaluated(location: Location) -> int:
    return tables_of(location.results_path)["evaluations"].height


@pytest.mark.parametrize(
    ("kind", "pattern", "remedy", "damage"),
    [
        ("point", PREDICTIONS, "run", cut),
        ("point", PREDICTIONS, "run", one_bit),
        ("model", PREDICTIONS, "run", flipped),
        ("model", PREDICTIONS, "run", removed),
        ("dataset", "examples.parquet", "run", emptied),
        ("dataset", "examples.parquet", "run", one_bit),
        ("clusters", "clusters.json", "cluster", cut),
        ("clusters", "clusters.json", "cluster", removed),
    ],
)
def test_a_damaged_artifact_is_named_left_out_and_made_again(
    kind: str,
    pattern: str,
    remedy: str,
    damage: Callable[[Path], None],
    lmc: Programs,
    undisturbed: Undisturbed,
    finished: Location,
    study_file: str,
) -> None:
    run = runs_of(finished).all(kind)[0]
    file = artifact(run, pattern)
    finished.results_path.unlink()
    damage(file)
    kept = file.read_bytes() if file.exists() else None
    at = ("--home", str(finished.home))
    for _ in range(2):  # what was left out is looked at again
        told = lmc("ingest", *at)
        told.refused(file.name, run.run_id, run.name, f"lmc-track {remedy} tiny")
    assert 0 < evaluated(finished) <= evaluated(undisturbed.location)
    lmc(remedy, study_file, *at).went_well()
    assert_as_undisturbed(finished, undisturbed.location)
    if kept is not None:
        assert file.with_name(f"{file.name}.damaged").read_bytes() == kept
    lmc("ingest", *at).went_well()


def test_a_damaged_evaluation_takes_no_other_from_the_results(
    lmc: Programs, undisturbed: Undisturbed, finished: Location
) -> None:
    run = runs_of(finished).all("point")[0]
    cut(artifact(run, PREDICTIONS))
    lmc("ingest", "--rebuild", "--home", str(finished.home)).refused(run.run_id)
    mine, theirs = (
        tables_of(one.results_path)["evaluations"] for one in (finished, undisturbed.location)
    )
    of_one = theirs.filter(run_id=theirs["run_id"][0]).height
    assert mine.height == theirs.height - of_one
    assert run.run_id not in mine["run_id"]


def test_run_notices_by_itself_what_was_cut_after_it_was_ingested(
    lmc: Programs, undisturbed: Undisturbed, finished: Location, study_file: str
) -> None:
    run = runs_of(finished).all("point")[0]
    file = artifact(run, PREDICTIONS)
    cut(file)
    told = lmc("run", study_file, "--home", str(finished.home)).went_well()
    assert run.run_id in told.err
    assert file.with_name(f"{file.name}.damaged").exists()
    assert_as_undisturbed(finished, undisturbed.location)


@pytest.mark.parametrize("damage", [cut, removed], ids=lambda one: one.__name__)
def test_a_study_goes_on_from_the_copy_of_its_file(
    damage: Callable[[Path], None],
    lmc: Programs,
    undisturbed: Undisturbed,
    finished: Location,
    study_file: str,
) -> None:
    at = ("--home", str(finished.home))
    run = runs_of(finished).all("study")[0]
    file = artifact(run, "study.json")
    damage(file)
    lmc("ingest", "--rebuild", *at).refused("study.json", run.run_id, "lmc-track run tiny")
    lmc("run", study_file, *at).went_well()
    lmc("ingest", *at).went_well()
    assert_as_undisturbed(finished, undisturbed.location)


def test_an_older_record_is_checked_by_what_can_be_read(
    lmc: Programs, undisturbed: Undisturbed, finished: Location, study_file: str
) -> None:
    without_stamps(finished)
    at = ("--home", str(finished.home))
    told = lmc("doctor", "--files", *at)
    assert told.code == 0, told.err
    assert "not verifiable" in told.out
    run = runs_of(finished).all("point")[0]
    cut(artifact(run, PREDICTIONS))
    lmc("ingest", "--rebuild", *at).refused(run.run_id, "lmc-track run tiny")
    lmc("run", study_file, *at).went_well()
    assert_as_undisturbed(finished, undisturbed.location)


def test_an_older_study_whose_file_is_damaged_keeps_no_other_from_the_results(
    lmc: Programs, finished: Location, tmp_path: Path
) -> None:
    import_scores(lmc, finished, tmp_path)
    without_stamps(finished)
    run = runs_of(finished).all("study")[0]
    artifact(run, "study.copy.json").unlink()
    cut(artifact(run, "study.json"))
    told = lmc("ingest", "--rebuild", "--home", str(finished.home))
    told.refused("study.json", run.run_id, "backup")
    assert tables_of(finished.results_path)["studies"]["study"].to_list() == ["scores"]


def test_what_cannot_be_made_again_is_left_out_and_the_rest_goes_on(
    lmc: Programs, finished: Location, tmp_path: Path
) -> None:
    import_scores(lmc, finished, tmp_path)
    run = runs_of(finished, "scores").all("model")[0]
    cut(artifact(run, "values/*.parquet"))
    told = lmc("ingest", "--rebuild", "--home", str(finished.home))
    told.refused(run.run_id, "Restore", "delete run", "import the results again")
    models = tables_of(finished.results_path)["imported_values"]["run_id"].to_list()
    assert run.run_id not in models
    assert len(models) == 1
    assert tables_of(finished.results_path)["points"].height > 0


def test_doctor_names_every_damaged_file_and_how_it_comes_back(
    lmc: Programs, finished: Location
) -> None:
    at = ("--home", str(finished.home))
    lmc("doctor", "--files", *at).went_well()
    runs = runs_of(finished)
    files = {
        "point": (PREDICTIONS, "lmc-track run tiny"),
        "dataset": ("examples.parquet", "lmc-track run tiny"),
        "clusters": ("clusters.json", "lmc-track cluster tiny"),
        "model": ("model/config.json", "delete run"),
        "path": ("curve.json", "lmc-track run tiny"),
        "report": ("report.html", "lmc-track report tiny"),
        "study": ("study.json", "lmc-track run tiny"),
    }
    for kind, (pattern, _) in files.items():
        one_bit(artifact(runs.all(kind)[0], pattern))
    told = lmc("doctor", "--files", "--format", "json", *at)
    assert told.code == 1
    failing = [row for row in json.loads(told.out) if row["verdict"] == "fail"]
    for kind, (_, remedy) in files.items():
        run = runs.all(kind)[0]
        rows = [row for row in failing if run.run_id in row["found"]]
        assert len(rows) == 1, kind
        assert remedy in rows[0]["remedy"], kind
        assert ("--rebuild" in rows[0]["remedy"]) == (kind in ("point", "dataset", "path")), kind


def test_a_bit_that_flipped_after_ingest_is_mended_as_doctor_says(
    lmc: Programs, undisturbed: Undisturbed, finished: Location, study_file: str
) -> None:
    file = artifact(runs_of(finished).all("point")[0], PREDICTIONS)
    one_bit(file)
    at = ("--home", str(finished.home))
    told = lmc("doctor", "--files", *at)
    assert "lmc-track ingest --rebuild, which reads every file, then lmc-track run" in told.out
    lmc("ingest", "--rebuild", *at).refused(file.name)
    lmc("run", study_file, *at).went_well()
    lmc("doctor", "--files", *at).went_well()
    assert_as_undisturbed(finished, undisturbed.location)


@pytest.mark.parametrize("damage", [cut, one_bit], ids=lambda one: one.__name__)
def test_a_damaged_checkpoint_is_named_and_the_other_paths_are_measured(
    damage: Callable[[Path], None],
    lmc: Programs,
    undisturbed: Undisturbed,
    home: Location,
    study_file: str,
) -> None:
    at = ("--home", str(home.home))
    lmc("finetune", study_file, *at).went_well()
    run = runs_of(home).all("model")[1]
    weights = artifact(run, "model/model.safetensors")
    shutil.copyfile(weights, weights.with_name("kept"))
    damage(weights)
    lmc("run", study_file, *at).refused(str(weights.parent), "delete")
    if damage is one_bit:  # the header is whole: found when the weights are read
        assert len(runs_of(home).all("path")) == 1
    weights.with_name("kept").replace(weights)
    lmc("run", study_file, *at).went_well()
    assert_as_undisturbed(home, undisturbed.location)


def test_a_model_whose_checkpoint_is_damaged_is_finetuned_again_once_deleted(
    lmc: Programs, undisturbed: Undisturbed, home: Location, study_file: str
) -> None:
    at = ("--home", str(home.home))
    lmc("finetune", study_file, *at).went_well()
    run = runs_of(home).all("model")[1]
    cut(artifact(run, "model/model.safetensors"))
    assert "delete" in lmc("run", study_file, *at).refused().err
    delete(home, run)
    lmc("run", study_file, *at).went_well()
    assert_as_undisturbed(home, undisturbed.location)
