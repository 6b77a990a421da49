"""Checkpoints from elsewhere as models of a study: checked, recorded, read as any other model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

import lmc_track
from lmc_track.errors import InputError, WorkError
from lmc_track.models.admission import frame_of
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.finetuning import finetune
from lmc_track.models.label_rows import write_reordered
from lmc_track.progress import Silent
from lmc_track.steps.materialize import materialize_run
from lmc_track.steps.planning import plan_study
from lmc_track.steps.register import Options, Registered, register_models
from lmc_track.steps.run import finetune_step, interpolate_step, run_study
from lmc_track.steps.status import study_status
from lmc_track.study import ModelSeeds, Study, build_study
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import find_study
from support.studies import measured, runs_of, tiny_content, tiny_study
from support.tiny_models import WORDS, tiny_classifiers

COLA = "".join(
    f"ks08\t{(a + b) % 2}\t\tthe {first} {second}\n"
    for a, first in enumerate(("cat", "dog", "cats", "dogs"))
    for b, second in enumerate(("sleeps", "sleep", "sees", "see"))
)


def without_seeds(**finetune: object) -> Study:
    content = tiny_content()
    return tiny_study(**{**content, "finetune": {**content["finetune"], "seeds": [], **finetune}})


def artifact(location: Location, name: str) -> Path:
    run = next(run for run in runs_of(location).all("model") if run.name == name)
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    return folder / "model"


@pytest.fixture(scope="module")
def checkpoints(finished: Location, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The finished study's four models as folders of somebody else."""
    folder = tmp_path_factory.mktemp("elsewhere")
    return [
        Path(shutil.copytree(artifact(finished, f"seed-{n}"), folder / f"run-{n}"))
        for n in range(4)
    ]


@pytest.fixture(scope="module")
def trained(finished: Location, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the answers: it has learned the validation sentences themselves."""
    study = tiny_study(finetune={"max_steps": 120})
    plan = plan_study(study, finished, Silent())
    out = tmp_path_factory.mktemp("trained") / "good"
    seeds = ModelSeeds(0, 0)
    learned = plan.datasets["validation"]
    finetune(plan.base, plan.task.label_names, learned, seeds, study.finetune, out)
    return out


def reordered(folder: Path, out: Path, names: tuple[str, str]) -> Path:
    write_reordered(folder, out, (1, 0), names, frame_of(folder, 2).outputs)
    return out


def register(
    location: Location, *folders: Path | str, study: Study | None = None, **options: object
) -> list[Registered]:
    texts = [str(folder) for folder in folders]
    given = Options(**options)  # type: ignore[arg-type]
    return register_models(study or without_seeds(), texts, location, Silent(), given)


def test_registered_models_are_measured_as_the_finetuned_ones(
    finished: Location, home_with_base: Location, checkpoints: list[Path]
) -> None:
    register(home_with_base, f"{checkpoints[0].parent}/run-{{0..3}}", name="seed-{}")
    run_study(without_seeds(), home_with_base, Silent())
    ours, theirs = measured(home_with_base), measured(finished)
    order = ["model_a", "model_b", "dataset", "subset", "half", "metric"]
    frames = [
        one["barriers"].select(*order, "convexity_gap", "relative_gap").sort(order)
        for one in (ours, theirs)
    ]
    assert_frame_equal(*frames)
    names = ["name", "weights_digest"]
    assert ours["models"].select(names).equals(theirs["models"].select(names))
    assert set(ours["models"]["source"]) == {"registered"}
    paths = [one["paths"].select("model_a", "l2_distance", "cosine") for one in (ours, theirs)]
    assert_frame_equal(*(frame.sort(frame.columns) for frame in paths))
    report = (home_with_base.home / "reports" / "tiny.html").read_text(encoding="utf-8")
    assert "seed-3" in report


def test_nothing_is_copied_unless_asked_for(
    home_with_base: Location, checkpoints: list[Path]
) -> None:
    register(home_with_base, checkpoints[0])
    run = runs_of(home_with_base).all("model")[0]
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    assert not (folder / "model").exists()
    reference = json.loads((folder / "model_reference.json").read_text())
    assert reference["folder"] == str(checkpoints[0])
    assert set(reference["files"]) >= {"config.json", "model.safetensors", "tokenizer.json"}


def test_a_copy_outlives_the_original(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    source = Path(shutil.copytree(checkpoints[0], tmp_path / "run"))
    (source / "optimizer.pt").write_bytes(b"not the model")
    register(home_with_base, source, checkpoints[1], copy=True)
    assert not (artifact(home_with_base, "run") / "optimizer.pt").exists()
    shutil.rmtree(source)
    assert interpolate_step(without_seeds(), home_with_base, Silent()) == 1


def test_the_same_weights_are_registered_once(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    again = shutil.copytree(checkpoints[0], tmp_path / "again")
    first = register(home_with_base, checkpoints[0], again)
    assert [(one.name, one.is_new) for one in first] == [("run-0", True), ("run-0", False)]
    second = register(home_with_base, checkpoints[0], checkpoints[1])
    assert [(one.name, one.is_new) for one in second] == [("run-0", False), ("run-1", True)]
    assert len(runs_of(home_with_base).all("model")) == 2


def test_weights_that_the_study_finetuned_itself_are_skipped(
    home_with_base: Location, finished: Location
) -> None:
    study = tiny_study(finetune={"seeds": "0-1"})
    finetune_step(study, home_with_base, Silent())
    own = artifact(finished, "seed-1")
    found = register(home_with_base, own, artifact(finished, "seed-2"), study=study)
    assert [(one.name, one.is_new) for one in found] == [("seed-1", False), ("model", True)]


def test_folders_of_one_name_get_names_of_their_own(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    folders = [
        shutil.copytree(checkpoints[n], tmp_path / str(n) / "bert ft:x@1/é") for n in range(2)
    ]
    found = register(home_with_base, *folders)
    assert [one.name for one in found] == ["-", "--2"]


def test_a_name_that_is_taken_is_refused(home_with_base: Location, checkpoints: list[Path]) -> None:
    with pytest.raises(InputError, match=r"named 'mine' already\nLet \{\} stand"):
        register(home_with_base, *checkpoints, name="mine")
    with pytest.raises(InputError, match=r"--name: '\.\./0' is no name"):
        register(home_with_base, *checkpoints, name="../{}")
    assert Store(home_with_base).client.search_experiments(filter_string="name = 'tiny'") == []


def test_a_name_that_a_seed_has_is_refused(
    home_with_base: Location, checkpoints: list[Path]
) -> None:
    with pytest.raises(InputError, match="named 'seed-1' already"):
        register(home_with_base, checkpoints[0], study=tiny_study(), name="seed-1")


def labels_of(folder: Path) -> tuple[str, ...]:
    config = json.loads((folder / "config.json").read_text())
    return tuple(config["id2label"][str(n)] for n in range(2))


def write_labels(folder: Path, names: tuple[str, ...]) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(n): name for n, name in enumerate(names)}
    config["label2id"] = {name: n for n, name in enumerate(names)}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.full
def test_outputs_in_another_order_are_put_into_the_studys(
    home_with_base: Location, trained: Path, checkpoints: list[Path], tmp_path: Path
) -> None:
    names = labels_of(trained)[::-1]
    swapped = reordered(trained, tmp_path / "swapped", names)
    found = register(home_with_base, swapped, checkpoints[0])
    assert found[0].label_order == names
    assert found[0].weights_digest == weights_digest(trained)
    run_study(without_seeds(), home_with_base, Silent())
    pairs = lmc_track.open(home_with_base.home).query("barrier_pairs", study="tiny", half="all")
    assert pairs["convexity_gap"].is_finite().all()


@pytest.mark.full
def test_a_copy_in_another_order_is_refused_as_the_same_model(
    home_with_base: Location, trained: Path, tmp_path: Path
) -> None:
    swapped = reordered(trained, tmp_path / "swapped", labels_of(trained)[::-1])
    with pytest.raises(InputError, match=r"good computes the same as .*swapped"):
        register(home_with_base, swapped, trained)


def with_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, {"format": "pt"})
    return folder


def with_old_names(tensors: dict[str, torch.Tensor]) -> None:
    for name in list(tensors):
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        tensors[old.replace("LayerNorm.bias", "LayerNorm.beta")] = tensors.pop(name)


SAME = [
    lambda held: held.update({"bert.embeddings.position_ids": torch.arange(16)[None]}),
    with_old_names,
]


@pytest.mark.parametrize("change", SAME, ids=["a buffer more", "names of the past"])
def test_a_model_with_other_files_and_the_same_function_is_refused(
    home_with_base: Location,
    checkpoints: list[Path],
    tmp_path: Path,
    change: Callable[[dict[str, torch.Tensor]], object],
) -> None:
    copy = with_tensors(Path(shutil.copytree(checkpoints[0], tmp_path / "copy")), change)
    assert weights_digest(copy) != weights_digest(checkpoints[0])
    with pytest.raises(InputError, match=r"copy computes the same as .*run-0"):
        register(home_with_base, checkpoints[0], copy)
    register(home_with_base, checkpoints[0], checkpoints[1])
    with pytest.raises(InputError, match="copy computes the same as the model run-0 on record"):
        register(home_with_base, copy)
    assert len(runs_of(home_with_base).all("model")) == 2


def test_a_copy_of_a_model_that_the_study_finetuned_is_refused(
    home_with_base: Location, finished: Location, tmp_path: Path
) -> None:
    study = tiny_study(finetune={"seeds": "0-1"})
    finetune_step(study, home_with_base, Silent())
    own = shutil.copytree(artifact(finished, "seed-1"), tmp_path / "own")
    copy = with_tensors(Path(own), SAME[0])
    with pytest.raises(InputError, match="computes the same as the model seed-1 on record"):
        register(home_with_base, copy, study=study)


def test_known_weights_under_another_configuration_are_refused(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    register(home_with_base, checkpoints[0])
    other = Path(shutil.copytree(checkpoints[0], tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    with pytest.raises(InputError, match="hidden_act is 'relu'"):
        register(home_with_base, other)


def test_an_order_that_does_not_fit_is_refused_with_the_one_that_does(
    home_with_base: Location, trained: Path, tmp_path: Path
) -> None:
    labels = labels_of(trained)
    wrong = reordered(trained, tmp_path / "wrong", labels)  # its names stayed as they were
    with pytest.raises(InputError, match=f"in the order {labels[1]},{labels[0]} "):
        register(home_with_base, wrong)
    assert find_study(Store(home_with_base), "tiny") is None
    found = register(home_with_base, wrong, labels=labels[::-1])
    assert found[0].label_order == labels[::-1]


def test_outputs_without_names_need_an_order(
    home_with_base: Location, trained: Path, tmp_path: Path
) -> None:
    silent = Path(shutil.copytree(trained, tmp_path / "silent"))
    write_labels(silent, ("LABEL_0", "LABEL_1"))
    with pytest.raises(InputError, match=r"LABEL_0, LABEL_1(.|\n)*--labels \w+,\w+"):
        register(home_with_base, silent)
    with pytest.raises(InputError, match="--labels: yes, no are not the study's labels"):
        register(home_with_base, silent, labels=("yes", "no"))


def test_a_constant_predictor_is_warned_about(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    constant = Path(shutil.copytree(checkpoints[0], tmp_path / "constant"))
    tensors = load_file(constant / "model.safetensors")
    tensors["classifier.bias"] = torch.tensor([100.0, 0.0])
    save_file(tensors, constant / "model.safetensors", {"format": "pt"})
    notes: list[str] = []

    class Listening(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    register_models(without_seeds(), [str(constant)], home_with_base, Listening())
    assert len(notes) == 1
    assert "to every validation example" in notes[0]


def test_a_checkpoint_that_changed_is_noticed(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    source = Path(shutil.copytree(checkpoints[0], tmp_path / "run"))
    register(home_with_base, source, checkpoints[1])
    weights = bytearray((source / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (source / "model.safetensors").write_bytes(bytes(weights))
    with pytest.raises(WorkError, match=r"run changed after it was registered: .*safetensors"):
        interpolate_step(without_seeds(), home_with_base, Silent())
    run = next(run for run in runs_of(home_with_base).all("model") if run.name == "run")
    with pytest.raises(WorkError, match="changed after it was registered"):
        materialize_run(run.run_id, tmp_path / "out", home_with_base)
    shutil.rmtree(source)
    with pytest.raises(WorkError, match="run is gone"):
        interpolate_step(without_seeds(), home_with_base, Silent())


def test_points_between_registered_models_are_rebuilt(
    home_with_base: Location, checkpoints: list[Path], tmp_path: Path
) -> None:
    register(home_with_base, *checkpoints[:2])
    interpolate_step(without_seeds(), home_with_base, Silent())
    point = next(
        p for p in runs_of(home_with_base).all("point") if p.params["alpha"] == repr(1 / 3)
    )
    materialize_run(point.run_id, tmp_path / "point", home_with_base)
    a, b, middle = (
        AutoModelForSequenceClassification.from_pretrained(folder).state_dict()
        for folder in (*checkpoints[:2], tmp_path / "point")
    )
    name = "classifier.weight"
    np.testing.assert_allclose(middle[name], (2 * a[name] + b[name]) / 3, rtol=1e-5)


@pytest.mark.full
def test_seeds_and_registered_models_grow_one_study(
    home_with_base: Location, checkpoints: list[Path]
) -> None:
    register(home_with_base, *checkpoints[2:4])
    run_study(tiny_study(finetune={"seeds": "0"}), home_with_base, Silent())
    register(home_with_base, checkpoints[1], study=tiny_study(finetune={"seeds": "0"}))
    run_study(tiny_study(finetune={"seeds": "0"}), home_with_base, Silent())
    frame = lmc_track.open(home_with_base.home).query("models", study="tiny")
    assert frame["name"].to_list() == ["run-2", "run-3", "seed-0", "run-1"]
    pairs = lmc_track.open(home_with_base.home).query("barrier_pairs", study="tiny")
    assert pairs["convexity_gap"].null_count() == 0
    finished = {
        row["what"]: row["missing"] for row in study_status(home_with_base, "tiny", disk=False).rows
    }
    assert set(finished.values()) == {0}


def test_a_run_deleted_in_mlflow_is_registered_again_under_its_name(
    home_with_base: Location, checkpoints: list[Path]
) -> None:
    register(home_with_base, *checkpoints[:2], name="mine-{}")
    store = Store(home_with_base)
    store.client.delete_run(runs_of(home_with_base).all("model")[0].run_id)
    with pytest.raises(WorkError, match=r"mine-0\nRun first: lmc-track register tiny SOURCE"):
        interpolate_step(without_seeds(), home_with_base, Silent())
    assert register(home_with_base, checkpoints[0])[0].name == "mine-0"
    assert interpolate_step(without_seeds(), home_with_base, Silent()) == 1


def test_a_study_without_seeds_and_models_says_what_to_do(home_with_base: Location) -> None:
    with pytest.raises(InputError, match=r"has no models(.|\n)*lmc-track register tiny SOURCE"):
        run_study(without_seeds(), home_with_base, Silent())


def own_study(folder: Path) -> Study:
    """A study of CoLA's form that names no base model and has no training data."""
    folder.mkdir()
    for name in ("in_domain_train.tsv", "in_domain_dev.tsv", "out_of_domain_dev.tsv"):
        (folder / name).write_text("" if "train" in name else COLA, encoding="utf-8")
    return build_study(
        {
            "study": {"name": "own"},
            "task": {"name": "cola", "data_dir": str(folder)},
            "finetune": {"seeds": []},
            # Models that were never trained are at chance.
            "evaluate": {"datasets": ["validation", "out_of_domain"], "include_failed": True},
            "interpolate": {"points": 3},
            "cluster": {"resamples": 99},
        }
    )


@pytest.mark.full
def test_no_base_and_no_training_data_are_needed(home: Location, tmp_path: Path) -> None:
    study = own_study(tmp_path / "cola")
    register(home, *tiny_classifiers(tmp_path / "models", 3), study=study)
    run_study(study, home, Silent())
    results = lmc_track.open(home.home)
    paths = results.query("paths", study="own")
    assert paths["cosine"].null_count() == 3
    assert paths["l2_distance"].null_count() == 0
    assert results.sql("SELECT base_digest FROM studies").item() is None


def test_a_tokenizer_that_reads_otherwise_is_refused(home: Location, tmp_path: Path) -> None:
    ours = tiny_classifiers(tmp_path / "ours", 1)
    theirs = tiny_classifiers(tmp_path / "theirs", 1, words=WORDS[::-1], seed=5)
    with pytest.raises(InputError, match=r"other tokens .*the cat sleeps"):
        register(home, *ours, *theirs, study=own_study(tmp_path / "cola"))
