"""Files of the record that were damaged: said by name with what to do, and never computed with."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from support.forked_programs import Programs
from support.studies import runs_of
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


@pytest.mark.parametrize("damage", [cut, flipped, one_bit, emptied], ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("point", PREDICTIONS), ("dataset", "examples.parquet"), ("clusters", "clusters.json")],
)
def test_a_damaged_artifact_is_named_and_comes_back_with_its_file(
    damage: Callable[[Path], None],
    kind: str,
    pattern: str,
    lmc: Programs,
    undisturbed: Undisturbed,
    finished: Location,
) -> None:
    run = runs_of(finished).all(kind)[0]
    file = artifact(run, pattern)
    shutil.copyfile(file, file.with_name("kept"))
    finished.results_path.unlink()
    damage(file)
    told = lmc("ingest", "--home", str(finished.home))
    if told.code == 0 and damage is one_bit:  # one of those that say nothing of the content
        assert_as_undisturbed(finished, undisturbed.location)
        return
    told.refused(file.name, run.run_id, "delete the run")
    assert not finished.results_path.exists()
    file.with_name("kept").replace(file)
    lmc("ingest", "--home", str(finished.home)).went_well()
    assert_as_undisturbed(finished, undisturbed.location)


def test_a_run_whose_artifact_is_damaged_is_made_again_once_deleted(
    lmc: Programs, undisturbed: Undisturbed, finished: Location, study_file: str
) -> None:
    run = runs_of(finished).all("point")[0]
    cut(artifact(run, PREDICTIONS))
    finished.results_path.unlink()
    lmc("run", study_file, "--home", str(finished.home)).refused(run.run_id)
    delete(finished, run)
    lmc("run", study_file, "--home", str(finished.home)).went_well()
    assert_as_undisturbed(finished, undisturbed.location)


@pytest.mark.parametrize("damage", [cut, one_bit, emptied], ids=lambda one: one.__name__)
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
