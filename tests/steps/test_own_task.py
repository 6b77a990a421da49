"""A study of a user's own three-way task with a two-way diagnostic: from files to results."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lmc_track
from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.steps.ingest import ingest
from lmc_track.steps.recording import recorded_study
from lmc_track.steps.run import finetune_step, interpolate_step
from lmc_track.study import Study, build_study
from lmc_track.tasks.projection import Projection
from lmc_track.tracking.location import Location, locate
from support.nli_files import written
from support.stores import empty_home
from support.studies import runs_of
from support.tiny_models import WORDS, tiny_base

LABELS = ("yes", "no", "perhaps")
PROJECT = Projection("max", ("yes", "other"), ((0,), (1, 2)))


def own_study(folder: Path, **task: Any) -> Study:
    section = {
        "name": "tabular", "text": "text", "label": "label", "labels": list(LABELS),
        "train": {"file": "all.tsv", "rows": "0-39"},
        "validation": {"file": "all.tsv", "rows": "40-"},
        "diagnostics": {
            "probe": {
                "file": "all.tsv", "projection": "max",
                "labels": {"yes": "yes", "other": ["no", "perhaps"]},
            }
        },
        **task,
    }  # fmt: skip
    return build_study(
        {
            "study": {"name": "own"},
            "task": section,
            "model": {"base": str(folder / "base")},
            "finetune": {"seeds": "0-1", "max_steps": 2, "learning_rate": 1e-2, "batch_size": 8},
            "evaluate": {
                "datasets": ["validation", "probe"], "max_examples": 30, "sample": "stratified",
            },
            "interpolate": {"points": 3},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    tiny_base(folder / "base")
    random = np.random.default_rng(3)
    rows = [f"{' '.join(random.choice(WORDS, 4))}\t{LABELS[k % 3]}" for k in range(100)]
    written(folder / "all.tsv", "text\tlabel\n" + "\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Location:
    location = empty_home(folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LMC_DATA_DIR", raising=False)
        patch.chdir(folder)
        study = own_study(folder)
        finetune_step(study, location, Silent())
        interpolate_step(study, location, Silent())
    ingest(location, Silent())
    return location


def probe(home: Location) -> pl.DataFrame:
    return lmc_track.open(home.results_path.parent).sql(
        "SELECT * FROM predictions WHERE dataset = 'probe' ORDER BY run_id, example_id"
    )


def test_logits_are_recorded_raw_and_losses_of_the_projected_ones(home: Location) -> None:
    frame = probe(home)
    logits = np.stack(frame["logits"].to_list())
    assert logits.shape[1] == 3
    own, labels = PROJECT(logits), frame["label"].to_numpy()
    losses = np.logaddexp(own[:, 0], own[:, 1]) - own[np.arange(len(own)), labels]
    np.testing.assert_allclose(frame["loss"].to_numpy(), losses, atol=1e-6)


def test_accuracy_in_mlflow_is_that_of_the_projected_logits(home: Location) -> None:
    frame = probe(home)
    for run in runs_of(home, "own").all("model"):
        part = frame.filter(run_id=run.run_id)
        said = PROJECT(np.stack(part["logits"].to_list())).argmax(1)
        assert run.metrics["accuracy/probe"] == (said == part["label"].to_numpy()).mean()


def test_accuracy_in_sql_is_that_in_mlflow(home: Location) -> None:
    stored = lmc_track.open(home.results_path.parent).sql(
        "SELECT run_id, value FROM evaluations "
        "WHERE dataset = 'probe' AND subset = 'all' AND half = 'all' AND metric = 'accuracy'"
    )
    index = runs_of(home, "own")
    runs = {
        r.run_id: r.metrics["accuracy/probe"] for r in [*index.all("model"), *index.all("point")]
    }
    assert dict(stored.rows()) == runs


def test_labels_projection_and_draw_are_told_of_every_set(home: Location) -> None:
    rows = lmc_track.open(home.results_path.parent).sql(
        "SELECT dataset, label_names, projection, projection_groups, drawn, n_source FROM datasets "
        "ORDER BY dataset"
    )
    assert rows.rows() == [
        ("probe", ["yes", "other"], "max", [[0], [1, 2]], "stratified 30 of 100", 100),
        ("validation", list(LABELS), None, None, "stratified 30 of 60", 60),
    ]


def test_the_note_of_a_set_tells_how_it_was_drawn(home: Location) -> None:
    notes = [run.tags["mlflow.note.content"] for run in runs_of(home, "own").all("dataset")]
    assert any(
        "Drawn: stratified 30 of 100. Labels of its own: yes, other" in note for note in notes
    )


def test_chance_is_of_the_labels_of_the_set(home: Location) -> None:
    found = lmc_track.open(home.results_path.parent).sql(
        "SELECT entropy FROM label_entropies "
        "WHERE dataset = 'probe' AND subset = 'all' AND half = 'all'"
    )
    shares = probe(home)["label"].value_counts(normalize=True)["proportion"].to_numpy()
    assert found["entropy"].item() == pytest.approx(-(shares * np.log(shares)).sum())


def test_a_recorded_study_finds_its_files_from_anywhere(
    home: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LMC_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert finetune_step(recorded_study("own", home), home, Silent()) is not None


def test_another_projection_under_the_same_name_is_refused(
    home: Location, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LMC_DATA_DIR", raising=False)
    monkeypatch.chdir(folder)
    labels = {"yes": "yes", "other": ["no", "perhaps"]}
    other = {"probe": {"file": "all.tsv", "labels": labels, "projection": "logsumexp"}}
    with pytest.raises(InputError, match="'probe' of the study 'own' holds other"):
        finetune_step(own_study(folder, diagnostics=other), home, Silent())


def test_sets_recorded_before_these_were_told_have_the_studys_labels(
    home: Location, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(home.results_path.parent, old)
    connection = sqlite3.connect(old / "mlflow.db")
    told = ("drawn", "n_source")
    marks = ", ".join("?" * len(told))
    connection.execute(
        f"DELETE FROM params WHERE key IN ({marks}) AND run_uuid IN "
        "(SELECT run_uuid FROM params WHERE key = 'dataset' AND value = 'validation')",
        told,
    )
    connection.commit()
    connection.close()
    location = locate(str(old), environ={})
    ingest(location, Silent(), everything=True)
    rows = lmc_track.open(old).sql(
        "SELECT label_names, drawn, n_source FROM datasets WHERE dataset = 'validation'"
    )
    assert rows.rows() == [(list(LABELS), None, None)]
