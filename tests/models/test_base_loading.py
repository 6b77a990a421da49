"""A base model gives its whole encoder and no head, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertModel, RobertaConfig, RobertaModel

from lmc_track.errors import InputError
from lmc_track.models.base_loading import check_base, head_names, renew_head
from lmc_track.models.finetuning import finetune
from lmc_track.models.loading import load_reported
from lmc_track.models.recipe import recipe, recipe_digest
from lmc_track.study.sections import FinetuneSection
from lmc_track.study.seeds import ModelSeeds
from lmc_track.tasks.dataset import Dataset, build_dataset
from support.tiny_architectures import tiny_config
from support.tiny_models import WORDS, tiny_base, tiny_classifiers

LABELS = ("unacceptable", "acceptable")
QUERY = "bert.encoder.layer.0.attention.self.query"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_base(tmp_path / "base")


def tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    file = folder / "model.safetensors"
    held = load_file(file)
    change(held)
    save_file(held, file, {"format": "pt"})
    return folder


def renamed(held: dict[str, torch.Tensor], name: Callable[[str], str]) -> None:
    for old in list(held):
        held[name(old)] = held.pop(old)


DAMAGES: list[tuple[str, Callable[[dict[str, torch.Tensor]], object], str]] = [
    (
        "wrapped",
        lambda held: renamed(held, lambda name: f"module.{name}"),
        r"b does not load whole: no file has bert\.embeddings(.|\n)*DistributedDataParallel",
    ),
    ("missing", lambda held: held.pop(f"{QUERY}.weight"), rf"no file has {QUERY}\.weight"),
    (
        "another shape",
        lambda held: held.update({f"{QUERY}.bias": torch.zeros(4)}),
        rf"of another shape is {QUERY}\.bias \(4,\) instead of \(8,\)",
    ),
    (
        "left over",
        lambda held: held.update({f"{QUERY}.lora_A.weight": torch.zeros(4)}),
        rf"has no place for {QUERY}\.lora_A\.weight",
    ),
    (
        "a layer more",
        lambda held: held.update({"bert.encoder.layer.1.output.dense.bias": torch.zeros(8)}),
        r"has no place for bert\.encoder\.layer\.1\.output\.dense\.bias",
    ),
]


@pytest.mark.parametrize(
    ("change", "message"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES]
)
def test_an_encoder_that_is_not_whole_is_refused_by_its_tensors(
    base: Path, change: Callable[[dict[str, torch.Tensor]], object], message: str
) -> None:
    tensors(base, change)
    with pytest.raises(InputError, match=message):
        check_base(base, 2, "b")


def test_a_layer_more_in_an_encoder_without_prefix_is_refused(tmp_path: Path, base: Path) -> None:
    BertModel.from_pretrained(base).save_pretrained(tmp_path / "bare")
    check_base(tmp_path / "bare", 2, "b")
    extra = "encoder.layer.1.output.dense.bias"
    tensors(tmp_path / "bare", lambda held: held.update({extra: torch.zeros(8)}))
    with pytest.raises(InputError, match=r"no place for .*encoder\.layer\.1\.output"):
        check_base(tmp_path / "bare", 2, "b")


def test_heads_of_pretraining_old_names_and_buffers_are_no_problem(base: Path) -> None:
    tensors(base, lambda h: renamed(h, lambda n: n.replace("LayerNorm.weight", "LayerNorm.gamma")))
    tensors(base, lambda h: h.update({"bert.embeddings.position_ids": torch.arange(32)[None]}))
    assert any(name.startswith("cls.") for name in load_file(base / "model.safetensors"))
    assert check_base(base, 2, "b")[1] == ()


def test_a_pooler_that_the_architecture_leaves_out_is_no_problem(tmp_path: Path) -> None:
    config = RobertaConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(tmp_path)
    assert "pooler.dense.weight" in load_file(tmp_path / "model.safetensors")
    assert check_base(tmp_path, 2, "b")[1] == ()


def test_random_numbers_of_the_caller_are_left_alone(base: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    check_base(base, 2, "b")
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("labels", [LABELS, ("a", "b", "c")], ids=["two", "three"])
def test_a_head_that_is_there_is_named(tmp_path: Path, labels: tuple[str, ...]) -> None:
    folder = tiny_classifiers(tmp_path, 1, label_names=labels)[0]
    assert check_base(folder, 2, "b")[1] == ("classifier.bias", "classifier.weight")


def test_a_head_that_is_not_there_cannot_be_kept(tmp_path: Path, base: Path) -> None:
    with pytest.raises(InputError, match="keep_head: b has no whole head of 2 labels"):
        check_base(base, 2, "b", keep_head=True)
    three = tiny_classifiers(tmp_path, 1, label_names=("a", "b", "c"))[0]
    with pytest.raises(InputError, match="keep_head: b has no whole head of 2 labels"):
        check_base(three, 2, "b", keep_head=True)
    two = tiny_classifiers(tmp_path / "two", 1)[0]
    check_base(two, 2, "b", keep_head=True)


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "bart", "mt5", "xlnet", "gpt2"])
def test_a_renewed_head_is_the_seeds_and_the_encoder_stays(tmp_path: Path, name: str) -> None:
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(9)
    model = AutoModelForSequenceClassification.from_config(
        tiny_config(name, len(WORDS) + 5, pad_token_id=0)
    )
    model.save_pretrained(tmp_path)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    heads = []
    for seed in (3, 4, 3):
        loaded = load_reported(tmp_path)[0]
        renew_head(loaded, seed)
        heads.append(loaded.state_dict())
    names = head_names(model)
    drawn = {key for key in names if before[key].std() > 0}  # biases begin at 0
    assert drawn
    assert all(not torch.equal(heads[0][key], before[key]) for key in drawn)
    assert all(not torch.equal(heads[0][key], heads[1][key]) for key in drawn)
    assert all(torch.equal(heads[0][key], heads[2][key]) for key in before)
    assert all(torch.equal(heads[0][key], before[key]) for key in before.keys() - names)


def at_rest(**settings: Any) -> FinetuneSection:
    return FinetuneSection(
        max_steps=1, learning_rate=1e-12, batch_size=8, trainer={"use_cpu": True}, **settings
    )


def tuned(base: Path, out: Path, head: int, how: FinetuneSection) -> dict[str, torch.Tensor]:
    train: Dataset = build_dataset(
        "train", "train", texts={"s": ["the cat sleeps"] * 8}, labels=[0, 1] * 4, source="here"
    )
    finetune(base, LABELS, train, ModelSeeds(head, 0), how, out)
    return load_file(out / "model.safetensors")


def test_head_seeds_of_a_base_with_a_head_give_heads_of_their_own(tmp_path: Path) -> None:
    base = tiny_classifiers(tmp_path, 1)[0]
    own = load_file(base / "model.safetensors")["classifier.weight"]
    heads = [
        tuned(base, tmp_path / str(seed), seed, at_rest())["classifier.weight"] for seed in (1, 2)
    ]
    assert not torch.allclose(heads[0], heads[1], atol=1e-3)
    assert not torch.allclose(heads[0], own, atol=1e-3)


def test_a_head_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    base = tiny_classifiers(tmp_path, 1)[0]
    own = load_file(base / "model.safetensors")["classifier.weight"]
    kept = tuned(base, tmp_path / "kept", 1, at_rest(keep_head=True))["classifier.weight"]
    assert torch.allclose(kept, own, atol=1e-6)


def test_only_recipes_of_bases_with_a_head_of_their_own_say_that_it_is_new() -> None:
    plain = recipe(at_rest())
    assert recipe_digest(recipe(at_rest(keep_head=True))) == recipe_digest(plain)
    assert recipe(at_rest(), renews_head=True) == {**plain, "head": "new"}


def test_a_base_that_changed_after_planning_is_refused_by_the_training(base: Path) -> None:
    tensors(base, lambda held: held.pop(f"{QUERY}.weight"))
    with pytest.raises(InputError, match=rf"no file has {QUERY}\.weight"):
        tuned(base, base.parent / "out", 1, at_rest())
    assert not (base.parent / "out").exists()


def test_the_configuration_of_fewer_layers_is_refused(tmp_path: Path) -> None:
    base = tiny_classifiers(tmp_path, 1)[0]
    file = base / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"num_hidden_layers": 0}))
    with pytest.raises(InputError, match=r"no place for bert\.encoder\.layer\.0"):
        check_base(base, 2, "b")
