"""The engine agrees with plain transformers calls, whatever the batching."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from lmc_track.geometry.batching import Batching, plan_reading
from lmc_track.geometry.encoding import EncodedDataset, encode
from lmc_track.geometry.engine import Engine, EngineSettings
from lmc_track.geometry.evaluation import read
from lmc_track.geometry.interpolation import ResidentModel, materialize
from lmc_track.geometry.loading import load_weights
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.checkpoints import weights_digest
from lmc_track.tasks.dataset import Dataset, build_dataset
from lmc_track.tasks.projection import Projection
from support.tiny_models import WORDS, tiny_classifiers


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_classifiers(tmp_path_factory.mktemp("models"), 3)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(60)]
    labels = [int(label) for label in rng.integers(0, 2, 60)]
    return build_dataset("validation", "validation", texts={"s": texts}, labels=labels, source="t")


@pytest.fixture(scope="module")
def encoded(folders: list[Path], dataset: Dataset) -> EncodedDataset:
    return encode(dataset, AutoTokenizer.from_pretrained(str(folders[0])), 32)


def plain_losses(folder: Path, dataset: Dataset) -> np.ndarray:
    """Losses one sentence at a time, with nothing of ours."""
    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    losses = []
    for text, label in dataset.frame.select("s", "label").iter_rows():
        with torch.no_grad():
            out = model(**tokenizer(text, return_tensors="pt"), labels=torch.tensor([label]))
        losses.append(out.loss.item())
    return np.array(losses)


def test_a_models_losses_are_those_of_plain_calls(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset
) -> None:
    got = Engine({"validation": encoded}).model_predictions(Checkpoint(folders[1]), ["validation"])
    assert np.allclose(got["validation"].loss, plain_losses(folders[1], dataset), atol=1e-5)


def test_every_point_is_the_model_that_materialize_saves(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset, tmp_path: Path
) -> None:
    engine = Engine({"validation": encoded})
    alphas = (0.1, 1 / 3, 0.9)
    ends = Checkpoint(folders[0]), Checkpoint(folders[1])
    points = engine.path_predictions(*ends, {a: ["validation"] for a in alphas})
    for alpha, predictions in points:
        out = tmp_path / f"{alpha}"
        materialize(folders[0], folders[1], alpha, out)
        assert np.allclose(predictions["validation"].loss, plain_losses(out, dataset), atol=1e-5)


def test_interpolated_weights_are_the_formula(folders: list[Path]) -> None:
    a, b = load_weights(folders[0]), load_weights(folders[1])
    resident = ResidentModel(folders[2])
    resident.set_point(a, b, 0.3)
    for name, tensor in resident.model.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, 0.7 * a[name] + 0.3 * b[name], atol=1e-6)


@pytest.mark.parametrize("budget", [1, 16, 64, 100_000])
def test_results_do_not_depend_on_the_batches(
    folders: list[Path], encoded: EncodedDataset, budget: int
) -> None:
    one, other = (
        Engine({"v": encoded}, EngineSettings(batching=batching)).model_predictions(
            Checkpoint(folders[0]), ["v"]
        )["v"]
        for batching in (Batching(), Batching(budget, overhead=1, attention="eager"))
    )
    assert np.allclose(one.logits, other.logits, atol=1e-5)
    assert (one.example_ids == other.example_ids).all()


def test_losses_are_of_projected_logits_and_logits_stay_raw(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset
) -> None:
    swapped = Projection("max", ("acceptable", "unacceptable"), ((1,), (0,)))
    own = replace(encoded, projection=swapped, labels=1 - encoded.labels)
    plain = Engine({"v": encoded}).model_predictions(Checkpoint(folders[0]), ["v"])["v"]
    found = Engine({"v": own}).model_predictions(Checkpoint(folders[0]), ["v"])["v"]
    assert np.array_equal(found.logits, plain.logits)
    assert np.allclose(found.loss, plain.loss, atol=1e-6)
    assert found.metrics("accuracy")["accuracy"] == plain.metrics("accuracy")["accuracy"]


def test_a_projection_makes_another_evaluation(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset
) -> None:
    swapped = Projection("max", ("acceptable", "unacceptable"), ((1,), (0,)))
    tokenizer = AutoTokenizer.from_pretrained(str(folders[0]))
    own = encode(replace(dataset, projection=swapped), tokenizer, 32)
    assert own.projection == swapped
    assert own.digest != encoded.digest


def test_bf16_stays_close_to_fp32(folders: list[Path], encoded: EncodedDataset) -> None:
    low, full = (
        Engine({"v": encoded}, EngineSettings(precision)).model_predictions(
            Checkpoint(folders[0]), ["v"]
        )["v"]
        for precision in ("bf16", "fp32")
    )
    assert np.allclose(low.loss, full.loss, atol=0.1)
    assert not np.array_equal(low.loss, full.loss)


def test_data_sets_evaluated_together_are_as_alone(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(folders[0]))
    part = replace(dataset, name="part", frame=dataset.frame[20:50].reverse())
    engine = Engine({"validation": encoded, "part": encode(part, tokenizer, 32)})
    both = engine.model_predictions(Checkpoint(folders[0]), ["validation", "part"])
    assert list(both) == ["validation", "part"]
    assert np.allclose(both["part"].loss, both["validation"].loss[20:50][::-1], atol=1e-6)
    assert (both["part"].example_ids == np.arange(20, 50)[::-1]).all()


def test_distance_and_cosine_are_those_of_the_stored_tensors(
    folders: list[Path], encoded: EncodedDataset
) -> None:
    engine = Engine({"v": encoded}, base=folders[2])
    ends = Checkpoint(folders[0]), Checkpoint(folders[1])
    stored = [load_file(folder / "model.safetensors") for folder in folders]
    flat = [torch.cat([t[n].flatten().double() for n in sorted(t)]) for t in stored]
    assert np.isclose(engine.l2_distance(*ends), (flat[0] - flat[1]).norm())
    da, db = flat[0] - flat[2], flat[1] - flat[2]
    cosine = engine.update_cosine(*ends)
    assert cosine is not None
    assert np.isclose(cosine, torch.nn.functional.cosine_similarity(da, db, dim=0), atol=1e-6)


def test_the_halfway_point_is_the_same_from_both_ends(folders: list[Path], tmp_path: Path) -> None:
    materialize(folders[0], folders[1], 0.5, tmp_path / "ab")
    materialize(folders[1], folders[0], 0.5, tmp_path / "ba")
    ab, ba = (load_file(tmp_path / name / "model.safetensors") for name in ("ab", "ba"))
    assert all(torch.allclose(ab[name], ba[name], atol=1e-6) for name in ab)
    assert weights_digest(tmp_path / "ab") != weights_digest(folders[0])


def test_batches_side_by_side_give_what_they_give_one_by_one(
    folders: list[Path], encoded: EncodedDataset
) -> None:
    model, threads = ResidentModel(folders[0]).model, torch.get_num_threads()
    reading = plan_reading({"v": encoded}, Batching(24, 1))
    assert len(reading.batches) > 4
    assert torch.equal(read(model, reading, at_once=3), read(model, reading))
    assert torch.get_num_threads() == threads
