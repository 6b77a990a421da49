from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    DistilBertConfig,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from lmc_track.errors import InputError
from lmc_track.models.admission import admit, check_files, frame_of
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.label_rows import write_reordered
from support.tiny_models import WORDS, tiny_base, tiny_classifiers


def tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    file = folder / "model.safetensors"
    held = load_file(file)
    change(held)
    file.unlink()
    save_file(held, file, {"format": "pt"})


def config(folder: Path, **changed: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def checked(folder: Path, base: Path) -> tuple[str, ...]:
    check_files(folder, "runs/seven")
    return admit(folder, "runs/seven", frame_of(base, 2)).label_names


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_base(tmp_path / "base")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_classifiers(tmp_path, 1)[0]


def test_a_classifier_on_the_base_is_admitted(folder: Path, base: Path) -> None:
    assert checked(folder, base) == ("unacceptable", "acceptable")


def test_half_precision_weights_are_admitted(folder: Path, base: Path) -> None:
    tensors(folder, lambda held: held.update({k: v.half() for k, v in held.items()}))
    assert checked(folder, base) == ("unacceptable", "acceptable")


CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda f: (f / "adapter_config.json").write_text("{}"), r"adapter(.|\n)*merge_and_unload"),
    (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
        r"pickle(.|\n)*AutoModelForSequenceClassification",
    ),
    (lambda f: (f / "config.json").write_text("{"), r"config\.json is damaged"),
    (lambda f: config(f, vocab_size=40), "vocabulary of 40 tokens"),
    (lambda f: config(f, num_attention_heads=4), "num_attention_heads is 4"),
    (lambda f: config(f, hidden_act="relu"), "hidden_act is 'relu'"),
    (lambda f: config(f, model_type="no-such"), "runs/seven"),
    (lambda f: config(f, model_type="distilbert"), "architecture distilbert"),
    (lambda f: config(f, quantization_config={"bits": 4}), "quantized"),
    (
        lambda f: config(f, model_type="own", auto_map={"AutoConfig": "own.Config"}),
        "code of its own, which is never run",
    ),
    (lambda f: tensors(f, lambda t: t.pop("classifier.weight")), r"no weights for classifier"),
    (
        lambda f: tensors(f, lambda t: t.update({"classifier.bias": torch.zeros(3)})),
        r"classifier\.bias has another shape",
    ),
    (
        lambda f: tensors(f, lambda t: t.update({"cls.extra": torch.zeros(3)})),
        r"no place for: cls\.extra",
    ),
    (
        lambda f: tensors(f, lambda t: t["classifier.bias"].fill_(float("nan"))),
        r"not finite: tensor 'classifier\.bias'",
    ),
    (
        lambda f: tensors(f, lambda t: t["classifier.bias"].fill_(float("inf"))),
        r"not finite: tensor 'classifier\.bias'",
    ),
    (lambda f: (f / "model.safetensors").write_bytes(b"\x10"), "is damaged: it is cut short"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[text for _, text in CHANGES])
def test_a_checkpoint_that_does_not_fit_is_refused(
    folder: Path, base: Path, change: Callable[[Path], object], message: str
) -> None:
    change(folder)
    with pytest.raises(InputError, match=message):
        checked(folder, base)


def test_another_number_of_labels_is_refused(tmp_path: Path, base: Path) -> None:
    folder = tiny_classifiers(tmp_path, 1, label_names=("a", "b", "c"))[0]
    with pytest.raises(InputError, match=r"has 3 labels, the study's task has 2"):
        checked(folder, base)


def test_another_width_is_refused(tmp_path: Path, folder: Path) -> None:
    wide = tiny_base(tmp_path / "wide", words=(*WORDS, "more"))
    with pytest.raises(InputError, match="vocabulary"):
        checked(folder, wide)


def test_the_model_folder_inside_is_pointed_at(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match=r"Register that folder: .*model"):
        check_files(folder.rename(tmp_path / "model").parent, "runs")


def test_the_tensors_of_the_labels_are_found_in_any_architecture(tmp_path: Path) -> None:
    small = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    RobertaConfig(**small, intermediate_size=16).save_pretrained(tmp_path / "roberta")
    DistilBertConfig(vocab_size=20, dim=8, n_layers=1, n_heads=2, hidden_dim=16).save_pretrained(
        tmp_path / "distilbert"
    )
    assert frame_of(tmp_path / "roberta", 3).outputs == {
        "classifier.out_proj.weight": 0, "classifier.out_proj.bias": 0,
    }  # fmt: skip
    assert frame_of(tmp_path / "distilbert", 2).outputs == {
        "classifier.weight": 0, "classifier.bias": 0,
    }  # fmt: skip


def test_a_reordered_copy_answers_the_same_under_other_numbers(tmp_path: Path) -> None:
    model = RobertaForSequenceClassification(
        RobertaConfig(
            vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, num_labels=3, initializer_range=0.5,
        )
    ).eval()  # fmt: skip
    model.save_pretrained(tmp_path / "model")
    outputs = frame_of(tmp_path / "model", 3).outputs
    write_reordered(tmp_path / "model", tmp_path / "copy", (2, 0, 1), ("e", "n", "c"), outputs)
    copy = AutoModelForSequenceClassification.from_pretrained(tmp_path / "copy").eval()
    ids = torch.tensor([[4, 5, 6, 7]])
    with torch.inference_mode():
        ours, theirs = model(ids).logits, copy(ids).logits
    assert torch.equal(theirs, ours[:, [2, 0, 1]])
    assert copy.config.id2label == {0: "e", 1: "n", 2: "c"}


def test_a_copy_in_the_same_order_has_the_same_digest(folder: Path, tmp_path: Path) -> None:
    outputs = frame_of(folder, 2).outputs
    write_reordered(folder, tmp_path / "copy", (0, 1), ("no", "yes"), outputs)
    assert weights_digest(tmp_path / "copy") == weights_digest(folder)
