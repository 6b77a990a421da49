"""What else is in a batch changes nothing of what a model says about a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from lmc_track.errors import InputError
from lmc_track.geometry.batching import Batching
from lmc_track.geometry.encoding import EncodedDataset, encode
from lmc_track.geometry.engine import Engine, EngineSettings
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.base_loading import check_base
from lmc_track.models.padding import Padding, padding_of
from lmc_track.models.padding_probe import LENGTHS, check_batches, probe_rows
from lmc_track.models.words import word_tokenizer
from lmc_track.tasks.dataset import Dataset, build_dataset
from support.tiny_architectures import READ, REFUSED, tiny_config
from support.tiny_models import WORDS

VOCABULARY = len(WORDS) + 5
# Funnel's pooling cannot read the shortest texts at all.
_REFUSED = r"b: .* the architecture \w+ (a text's logits depend on what|cannot read a text of 4)"
# Not 0, which many would take: 0 is a word of the decoders here.
PAD = 4


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    made = word_tokenizer(WORDS, max_length=32)
    made.model_input_names = ["input_ids"]
    return made


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, size=1 + k % 9)) for k in range(18)]
    return build_dataset("v", "validation", texts={"s": texts}, labels=[0, 1] * 9, source="t")


def saved(name: str, folder: Path, tokenizer: Any, **settings: Any) -> Path:
    config = tiny_config(name, VOCABULARY, **{"pad_token_id": PAD, **settings})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def losses(folder: Path, encoded: EncodedDataset, batching: Batching) -> np.ndarray:
    engine = Engine({"v": encoded}, EngineSettings(batching=batching))
    return engine.model_predictions(Checkpoint(folder), ["v"])["v"].loss


@pytest.mark.parametrize("name", READ)
def test_losses_do_not_depend_on_the_size_of_batches(
    tmp_path: Path, tokenizer: Any, dataset: Dataset, name: str
) -> None:
    folder = saved(name, tmp_path, tokenizer)
    config = AutoModelForSequenceClassification.from_pretrained(folder).config
    encoded = encode(dataset, tokenizer, 32, padding_of(config, tokenizer))
    assert encoded.padding.token_id == PAD
    alone, together = Batching(token_budget=1), Batching(token_budget=512, overhead=512)
    assert np.allclose(losses(folder, encoded, alone), losses(folder, encoded, together), atol=1e-4)
    # And planning accepts it.
    model, _ = check_base(folder, 2, "model.base: b")
    check_batches(model, encoded.padding, probe_rows(tokenizer, ["the cat sees"], 32), "b")


@pytest.mark.parametrize("name", REFUSED)
def test_an_architecture_that_reads_its_padding_is_refused(
    tmp_path: Path, tokenizer: Any, name: str
) -> None:
    folder = saved(name, tmp_path, tokenizer)
    model, _ = check_base(folder, 2, "model.base: b")
    # Whatever texts a study has: one of these alone is of four tokens, the other of nine.
    for text in ("the cat", "the cat sees a dog who sleeps"):
        rows = probe_rows(tokenizer, [text], 32)
        with pytest.raises(InputError, match=_REFUSED):
            check_batches(model, Padding(PAD), rows, "b")


@pytest.mark.parametrize("texts", [["the"], [""], ["the cat"], ["the cat", "a dog"], ["", ""]])
def test_any_text_is_tried_in_many_lengths(texts: list[str]) -> None:
    tokenizer = word_tokenizer(WORDS, max_length=512)
    rows = probe_rows(tokenizer, texts, 512)
    lengths = [len(row["input_ids"]) for row in rows]
    assert lengths == sorted(set(lengths))
    assert set(lengths) <= set(LENGTHS)
    assert len(lengths) >= 6


def test_no_text_is_tried_beyond_what_the_model_reads(tokenizer: Any) -> None:
    rows = probe_rows(tokenizer, ["the cat sees"], 12)
    assert [len(row["input_ids"]) for row in rows] == [4, 5, 7, 9]


def test_trying_a_base_model_has_a_bounded_cost(tokenizer: Any) -> None:
    rows = probe_rows(tokenizer, ["the cat sees a dog " * 200], None)
    assert sum(len(row["input_ids"]) for row in rows) <= sum(LENGTHS)


def test_the_padding_token_of_the_configuration_comes_first(tokenizer: Any) -> None:
    config = tiny_config("gpt2", VOCABULARY, pad_token_id=7)
    assert padding_of(config, tokenizer) == Padding(7)


def test_the_tokenizers_padding_token_is_taken_where_the_configuration_names_none(
    tmp_path: Path, tokenizer: Any, dataset: Dataset
) -> None:
    folder = saved("gpt2", tmp_path, tokenizer, pad_token_id=None)
    config = tiny_config("gpt2", VOCABULARY)
    encoded = encode(dataset, tokenizer, 32, padding_of(config, tokenizer))
    assert encoded.padding.token_id == tokenizer.pad_token_id
    alone, together = Batching(token_budget=1), Batching(token_budget=512, overhead=512)
    assert np.allclose(losses(folder, encoded, alone), losses(folder, encoded, together), atol=1e-5)


def test_without_a_padding_token_it_is_said_where_to_name_one() -> None:
    bare = word_tokenizer(WORDS, max_length=32)
    bare.pad_token = None
    bare.eos_token = "[SEP]"
    with pytest.raises(InputError, match=r'neither config\.json nor(.|\n)*"pad_token_id": 3 '):
        padding_of(tiny_config("gpt2", VOCABULARY), bare)


def test_a_padding_token_outside_the_vocabulary_is_refused(tokenizer: Any) -> None:
    with pytest.raises(InputError, match=r"id 17, but the model has only 17 tokens"):
        padding_of(tiny_config("gpt2", VOCABULARY, pad_token_id=VOCABULARY), tokenizer)


def test_rows_are_filled_on_the_side_that_the_model_does_not_read() -> None:
    left = Padding(9, "left")
    assert left.table([[1, 2], [3]], [2, 1], 9).tolist() == [[1, 2], [9, 3]]
    assert left.mask([2, 1]).tolist() == [[1, 1], [0, 1]]
    right = Padding(9)
    assert right.table([[1, 2], [3]], [2, 1], 9).tolist() == [[1, 2], [3, 9]]
    assert right.mask([2, 1]).tolist() == [[1, 1], [1, 0]]


def test_another_padding_than_the_tokenizers_is_another_evaluation(
    tokenizer: Any, dataset: Dataset
) -> None:
    usual = encode(dataset, tokenizer, 32)
    assert encode(dataset, tokenizer, 32, Padding(tokenizer.pad_token_id)).digest == usual.digest
    assert encode(dataset, tokenizer, 32, Padding(PAD)).digest != usual.digest
