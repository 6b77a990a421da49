"""What is done to a study in MLflow is taken up or told, and is never another study's concern."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.importers.naming import model_names
from lmc_track.importers.scores import read_scores
from lmc_track.progress import Silent
from lmc_track.steps.import_scores import import_scores
from lmc_track.steps.import_study import StudyWords
from lmc_track.steps.ingest import ingest
from lmc_track.steps.naming import describe_step, rename_step
from lmc_track.steps.recording import find_recorded
from lmc_track.steps.run import report_step
from lmc_track.steps.status import study_status
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.tags import NOTE_TAG, STUDY_TAG
from lmc_track.warehouse.results import open_results
from support.stores import copied_home
from support.studies import measured, run_tiny, runs_of


@pytest.fixture
def home(finished: Location, tmp_path: Path) -> Location:
    """A copy of a finished study's home, with the results of another study."""
    location = copied_home(finished, tmp_path / "home")
    scores(location, tmp_path)
    ingest(location, Silent())
    return location


def scores(location: Location, folder: Path, study: str = "scores") -> None:
    file = folder / "scores.csv"
    file.write_text("run,validation\n0,.8\n1,.9\n")
    read = read_scores(file, model_names(r"\d+", "seed-{}"))
    import_scores(study, read, location, Silent(), StudyWords())


def experiment(location: Location, name: str = "tiny") -> str:
    return str(Store(location).client.get_experiment_by_name(name).experiment_id)


def ingested(location: Location) -> list[str]:
    ingest(location, Silent())
    return open_results(location.results_path).studies()


def test_a_renamed_experiment_is_the_same_study_by_its_new_name(home: Location) -> None:
    before = measured(home)
    Store(home).client.rename_experiment(experiment(home), "renamed")
    assert ingested(home) == ["renamed", "scores"]
    after = measured(home)
    for name, frame in before.items():
        assert after[name].height == frame.height, name
    outcome = run_tiny(home, study={"name": "renamed"})
    assert (outcome.models, outcome.paths) == (0, 0)
    assert {row["study"] for row in study_status(home).rows} >= {"renamed", "scores"}


def test_a_study_file_with_the_former_name_is_told_the_new_one(home: Location) -> None:
    Store(home).client.rename_experiment(experiment(home), "renamed")
    with pytest.raises(InputError, match="recorded as 'renamed'") as error:
        run_tiny(home)
    assert f"lmc-track rename renamed tiny --home {home.home}" in error.value.remedy
    with pytest.raises(InputError, match="it is called 'renamed' now"):
        find_recorded("tiny", home, kinds=())
    assert ingested(home) == ["renamed", "scores"]


@pytest.mark.parametrize("title", ["my study!", "scores/2", "x" * 200])
def test_an_experiment_with_a_name_of_no_study_keeps_its_own(home: Location, title: str) -> None:
    Store(home).client.rename_experiment(experiment(home), title)
    assert ingested(home) == ["tiny", "scores"]
    assert find_recorded("tiny", home, kinds=()).facts.name == "tiny"
    rename_step("tiny", "other", home)
    assert ingested(home) == ["other", "scores"]


def test_a_study_is_renamed_and_renamed_back(home: Location) -> None:
    rename_step("tiny", "other", home)
    tags = Store(home).client.get_experiment_by_name("other").tags
    assert tags[STUDY_TAG] == "other"
    assert "study other" in tags[NOTE_TAG]
    with pytest.raises(InputError, match="recorded as 'other'"):
        run_tiny(home)
    rename_step("other", "tiny", home)
    assert ingested(home) == ["tiny", "scores"]
    assert run_tiny(home).models == 0


def test_a_name_that_is_taken_or_none_is_refused(home: Location) -> None:
    for new, words in (("scores", "already"), ("a b", "is not a name"), ("..", "is not a name")):
        with pytest.raises(InputError, match=words):
            rename_step("tiny", new, home)
    with pytest.raises(InputError, match="there is no study 'none'"):
        rename_step("none", "other", home)
    assert ingested(home) == ["tiny", "scores"]


def test_another_study_may_have_a_former_name_and_has_a_folder_of_its_own(
    home: Location, tmp_path: Path
) -> None:
    rename_step("tiny", "other", home)
    scores(home, tmp_path, "tiny")
    assert ingested(home) == ["other", "scores", "tiny"]
    client = Store(home).client
    places = {client.get_experiment_by_name(name).artifact_location for name in ("other", "tiny")}
    assert len(places) == 2


def description(location: Location, study: str = "tiny") -> str:
    ingest(location, Silent())
    rows = open_results(location.results_path).sql("SELECT study, description FROM studies")
    return str(dict(rows.iter_rows())[study])


def test_a_study_is_described_from_the_command_line(home: Location) -> None:
    text = "Four models, <b>tiny</b> & *quick*."
    describe_step("tiny", text, home)
    assert description(home) == text
    note = Store(home).client.get_experiment_by_name("tiny").tags[NOTE_TAG]
    assert "<b>" not in note
    assert "Tables, also under *Views*" in note
    run_tiny(home)  # whose file says nothing
    assert description(home) == text
    describe_step("tiny", "", home)
    assert description(home) == ""


def test_a_note_written_in_mlflow_is_taken_up_and_stays(home: Location) -> None:
    client = Store(home).client
    client.set_experiment_tag(experiment(home), NOTE_TAG, "Seen by me.")
    assert description(home) == "Seen by me."
    run_tiny(home)
    assert client.get_experiment_by_name("tiny").tags[NOTE_TAG] == "Seen by me."
    assert description(home, "scores") == "Results made elsewhere."


def test_a_deleted_study_is_no_matter_of_another_and_comes_back(home: Location) -> None:
    before = measured(home)
    client = Store(home).client
    number = experiment(home)
    client.delete_experiment(number)
    assert ingested(home) == ["scores"]
    with pytest.raises(InputError, match="was deleted in MLflow") as error:
        run_tiny(home)
    assert f"MLFLOW_TRACKING_URI=sqlite:///{home.own_store} " in error.value.remedy
    assert f"mlflow experiments restore --experiment-id {number}" in error.value.remedy
    client.restore_experiment(number)
    assert ingested(home) == ["tiny", "scores"]
    after = measured(home)
    assert {name: frame.height for name, frame in before.items()} == {
        name: frame.height for name, frame in after.items()
    }


class Noting(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_study_without_its_own_run_is_told_and_made_whole(home: Location) -> None:
    Store(home).client.delete_run(runs_of(home).all("study")[0].run_id)
    progress = Noting()
    ingest(home, progress)
    assert open_results(home.results_path).studies() == ["scores"]
    assert [note for note in progress.notes if "The study tiny is left out" in note]
    with pytest.raises(InputError, match="no finished run of its own"):
        report_step("tiny", home, Silent())
    assert run_tiny(home).models == 0
    assert sorted(ingested(home)) == ["scores", "tiny"]


def test_a_small_study_without_its_own_run_leaves_the_others_as_they_are(home: Location) -> None:
    before = measured(home)["paths"]
    Store(home).client.delete_run(runs_of(home, "scores").all("study")[0].run_id)
    assert ingested(home) == ["tiny"]
    assert measured(home)["paths"].equals(before)


def test_other_tags_change_nothing(home: Location) -> None:
    before = measured(home)
    client = Store(home).client
    client.set_experiment_tag(experiment(home), "owner", "me")
    for run in (runs_of(home).all("model")[0], runs_of(home).all("study")[0]):
        client.set_tag(run.run_id, "mine", "yes")
        client.set_tag(run.run_id, NOTE_TAG, "A good one.")
        client.update_run(run.run_id, name="my favourite")
    ingest(home, Silent(), everything=True)
    after = measured(home)
    assert all(after[name].equals(frame) for name, frame in before.items())
    assert run_tiny(home).models == 0


def test_a_study_that_lost_its_tag_is_told_and_no_matter_of_another(home: Location) -> None:
    client = Store(home).client
    client.delete_experiment_tag(experiment(home), STUDY_TAG)
    assert ingested(home) == ["scores"]
    with pytest.raises(InputError, match="not a study of lmc-track") as error:
        run_tiny(home)
    assert STUDY_TAG in error.value.remedy


@pytest.mark.parametrize("text", ["[", "5", '["a", 1, null]', "[" * 5000])
def test_a_tag_that_is_not_what_it_should_be_is_passed_over(home: Location, text: str) -> None:
    with sqlite3.connect(home.own_store) as connection:
        connection.execute(
            "INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?)",
            (experiment(home), "lmc.study.former", text),
        )
    connection.close()
    assert find_recorded("tiny", home, kinds=()).facts.name == "tiny"
    rename_step("tiny", "other", home)
    former = Store(home).client.get_experiment_by_name("other").tags["lmc.study.former"]
    assert "tiny" in json.loads(former)


@pytest.mark.full
def test_mlflows_own_gc_and_upgrade_leave_the_rest(home: Location) -> None:
    import subprocess
    import sys

    def mlflow(*words: str) -> None:
        program = Path(sys.executable).with_name("mlflow")
        command = [sys.executable, "-m", "mlflow"] if not program.exists() else [str(program)]
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr

    client = Store(home).client
    client.delete_run(runs_of(home).all("path")[0].run_id)
    mlflow("gc", "--backend-store-uri", home.tracking_uri, "--tracking-uri", home.tracking_uri)
    mlflow("db", "upgrade", home.tracking_uri)
    assert ingested(home) == ["tiny", "scores"]
    outcome = run_tiny(home)
    assert (outcome.models, outcome.paths) == (0, 1)
    client.delete_experiment(experiment(home))
    mlflow("gc", "--backend-store-uri", home.tracking_uri, "--tracking-uri", home.tracking_uri)
    assert ingested(home) == ["scores"]
