"""The engine agrees with plain transformers calls, whatever the batching."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from lmc_track.errors import WorkError
from lmc_track.geometry.encoding import EncodedDataset, encode
from lmc_track.geometry.engine import Engine
from lmc_track.geometry.evaluation import evaluate, plan_batches
from lmc_track.geometry.interpolation import ResidentModel, materialize
from lmc_track.geometry.weights import check_same_shape, load_weights
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
    got = Engine({"validation": encoded}, "fp32").model_predictions(folders[1], ["validation"])
    assert np.allclose(got["validation"].loss, plain_losses(folders[1], dataset), atol=1e-5)


def test_every_point_is_the_model_that_materialize_saves(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset, tmp_path: Path
) -> None:
    engine = Engine({"validation": encoded}, "fp32")
    alphas = (0.1, 1 / 3, 0.9)
    points = engine.path_predictions(folders[0], folders[1], {a: ["validation"] for a in alphas})
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
    model = ResidentModel(folders[0]).model
    one = evaluate(model, encoded, plan_batches(encoded))
    other = evaluate(model, encoded, plan_batches(encoded, budget))
    assert np.allclose(one.logits, other.logits, atol=1e-5)
    assert (one.example_ids == other.example_ids).all()


def test_every_example_is_in_one_batch_within_the_budget(encoded: EncodedDataset) -> None:
    batches = plan_batches(encoded, 40)
    rows = sorted(int(row) for batch in batches for row in batch.rows)
    assert rows == list(range(len(encoded)))
    assert all(b.inputs["input_ids"].numel() <= 40 or len(b.rows) == 1 for b in batches)


def test_losses_are_of_projected_logits_and_logits_stay_raw(
    folders: list[Path], dataset: Dataset, encoded: EncodedDataset
) -> None:
    swapped = Projection("max", ("acceptable", "unacceptable"), ((1,), (0,)))
    own = replace(encoded, projection=swapped, labels=1 - encoded.labels)
    plain = Engine({"v": encoded}, "fp32").model_predictions(folders[0], ["v"])["v"]
    found = Engine({"v": own}, "fp32").model_predictions(folders[0], ["v"])["v"]
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
    low = Engine({"v": encoded}, "bf16").model_predictions(folders[0], ["v"])["v"]
    full = Engine({"v": encoded}, "fp32").model_predictions(folders[0], ["v"])["v"]
    assert np.allclose(low.loss, full.loss, atol=0.1)
    assert not np.array_equal(low.loss, full.loss)


def test_other_texts_have_another_digest(folders: list[Path], dataset: Dataset) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(folders[0]))
    fewer = Dataset("v", "validation", dataset.frame.head(50), dataset.text_columns, "t")
    assert encode(dataset, tokenizer, 32).digest == encode(dataset, tokenizer, 32).digest
    assert encode(fewer, tokenizer, 32).digest != encode(dataset, tokenizer, 32).digest


def test_other_tokens_of_the_same_texts_have_another_digest(
    folders: list[Path], dataset: Dataset
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(folders[0]))
    assert encode(dataset, tokenizer, 4).digest != encode(dataset, tokenizer, 32).digest


def test_models_of_other_shapes_cannot_be_joined(folders: list[Path], tmp_path: Path) -> None:
    three = tiny_classifiers(tmp_path, 1, label_names=("a", "b", "c"))[0]
    with pytest.raises(WorkError, match=r"classifier\.weight"):
        check_same_shape(load_weights(folders[0]), load_weights(three), "one", "other")


def test_weights_that_are_not_finite_are_refused(folders: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    tiny_classifiers(tmp_path, 1)[0].rename(broken)
    tensors = load_file(broken / "model.safetensors")
    tensors["classifier.bias"][0] = float("nan")
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WorkError, match="not finite"):
        load_weights(broken)


@pytest.mark.parametrize("left", [None, 0, 40, -1])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, left: int | None) -> None:
    folder = tiny_classifiers(tmp_path, 1)[0]
    file = folder / "model.safetensors"
    content = file.read_bytes()
    file.unlink()
    if left is not None:
        file.write_bytes(content[:left])
    with pytest.raises(WorkError, match=f"the checkpoint in {folder} is damaged: "):
        load_weights(folder)


def test_distance_and_cosine_are_those_of_the_stored_tensors(
    folders: list[Path], encoded: EncodedDataset
) -> None:
    engine = Engine({"v": encoded}, "fp32", base=folders[2])
    stored = [load_file(folder / "model.safetensors") for folder in folders]
    flat = [torch.cat([t[n].flatten().double() for n in sorted(t)]) for t in stored]
    assert np.isclose(engine.l2_distance(folders[0], folders[1]), (flat[0] - flat[1]).norm())
    da, db = flat[0] - flat[2], flat[1] - flat[2]
    cosine = engine.update_cosine(folders[0], folders[1])
    assert cosine is not None
    assert np.isclose(cosine, torch.nn.functional.cosine_similarity(da, db, dim=0), atol=1e-6)


def test_the_halfway_point_is_the_same_from_both_ends(folders: list[Path], tmp_path: Path) -> None:
    materialize(folders[0], folders[1], 0.5, tmp_path / "ab")
    materialize(folders[1], folders[0], 0.5, tmp_path / "ba")
    ab, ba = (load_file(tmp_path / name / "model.safetensors") for name in ("ab", "ba"))
    assert all(torch.allclose(ab[name], ba[name], atol=1e-6) for name in ab)
    assert weights_digest(tmp_path / "ab") != weights_digest(folders[0])
