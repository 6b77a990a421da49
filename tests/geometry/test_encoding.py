"""A data set is tokenized once, and its tokens are kept by what they follow from."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from lmc_track.geometry.encoding import EncodedDataset, encode
from lmc_track.geometry.token_cache import TokenCache
from lmc_track.tasks.dataset import Dataset, build_dataset
from lmc_track.tasks.projection import Projection
from support.tiny_models import WORDS, tiny_classifiers


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tiny_classifiers(tmp_path_factory.mktemp("models"), 1)[0]
    return AutoTokenizer.from_pretrained(str(folder))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(30)]
    labels = [int(label) for label in rng.integers(0, 2, 30)]
    return build_dataset("validation", "validation", texts={"s": texts}, labels=labels, source="t")


class Refused:
    """A tokenizer that must not be asked."""

    pad_token_id = 0

    def __call__(self, *texts: object, **options: object) -> object:
        raise AssertionError("tokenized again")


def same(one: EncodedDataset, other: EncodedDataset) -> bool:
    return (one.name, one.digest, one.padding) == (
        other.name,
        other.digest,
        other.padding,
    ) and all(
        np.array_equal(a, b)
        for a, b in (
            (one.example_ids, other.example_ids),
            (one.labels, other.labels),
            *((one.inputs[n].values, other.inputs[n].values) for n in one.inputs),
            *((one.inputs[n].offsets, other.inputs[n].offsets) for n in one.inputs),
        )
    )


def test_other_texts_have_another_digest(tokenizer: object, dataset: Dataset) -> None:
    fewer = Dataset("v", "validation", dataset.frame.head(20), dataset.text_columns, "t")
    assert encode(dataset, tokenizer, 32).digest == encode(dataset, tokenizer, 32).digest
    assert encode(fewer, tokenizer, 32).digest != encode(dataset, tokenizer, 32).digest


def test_other_tokens_of_the_same_texts_have_another_digest(
    tokenizer: object, dataset: Dataset
) -> None:
    assert encode(dataset, tokenizer, 4).digest != encode(dataset, tokenizer, 32).digest


def test_tokens_are_read_back_as_they_were_made(
    tokenizer: object, dataset: Dataset, tmp_path: Path
) -> None:
    made = TokenCache(tmp_path, "t", 32).get(dataset, tokenizer)
    assert same(made, encode(dataset, tokenizer, 32))
    assert same(TokenCache(tmp_path, "t", 32).get(dataset, Refused()), made)


def test_the_same_data_under_another_name_are_not_tokenized_again(
    tokenizer: object, dataset: Dataset, tmp_path: Path
) -> None:
    TokenCache(tmp_path, "t", 32).get(dataset, tokenizer)
    again = TokenCache(tmp_path, "t", 32).get(replace(dataset, name="other"), Refused())
    assert again.name == "other"


@pytest.mark.parametrize(("tokenizer_digest", "longest"), [("u", 32), ("t", 4), ("t", None)])
def test_another_tokenizer_or_length_makes_its_own_tokens(
    tokenizer: object, dataset: Dataset, tmp_path: Path, tokenizer_digest: str, longest: int | None
) -> None:
    TokenCache(tmp_path, "t", 32).get(dataset, tokenizer)
    with pytest.raises(AssertionError, match="tokenized again"):
        TokenCache(tmp_path, tokenizer_digest, longest).get(dataset, Refused())


def test_other_data_under_the_same_name_make_their_own_tokens(
    tokenizer: object, dataset: Dataset, tmp_path: Path
) -> None:
    TokenCache(tmp_path, "t", 32).get(dataset, tokenizer)
    fewer = replace(dataset, frame=dataset.frame.head(5))
    assert len(TokenCache(tmp_path, "t", 32).get(fewer, tokenizer)) == 5


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_tokens_are_made_again(
    tokenizer: object, dataset: Dataset, tmp_path: Path, damage: str
) -> None:
    made = TokenCache(tmp_path, "t", 32).get(dataset, tokenizer)
    assert made.file is not None
    content = bytearray(made.file.read_bytes())
    if damage == "flipped":
        at = content.index(made.inputs["input_ids"].values.tobytes())
        content[at] ^= 1
    made.file.unlink()
    made.file.write_bytes({"cut": content[: len(content) // 2], "empty": b""}.get(damage, content))
    assert same(
        TokenCache(tmp_path, "t", 32).get(dataset, tokenizer), encode(dataset, tokenizer, 32)
    )


def test_tokens_go_to_other_processes_as_the_name_of_their_file(
    tokenizer: object, dataset: Dataset, tmp_path: Path
) -> None:
    kept, loose = (
        TokenCache(tmp_path, "t", 32).get(dataset, tokenizer),
        encode(dataset, tokenizer, 32),
    )
    assert len(pickle.dumps(kept)) < 500 < len(pickle.dumps(loose))
    assert same(pickle.loads(pickle.dumps(kept)), pickle.loads(pickle.dumps(loose)))


def test_a_projection_is_kept_with_the_tokens_and_goes_to_other_processes(
    tokenizer: object, dataset: Dataset, tmp_path: Path
) -> None:
    project = Projection("max", ("yes", "other"), ((0,), (1, 2)))
    projected = replace(dataset, projection=project)
    TokenCache(tmp_path, "t", 32).get(projected, tokenizer)
    again = TokenCache(tmp_path, "t", 32).get(projected, Refused())
    assert again.projection == project
    assert pickle.loads(pickle.dumps(again)).projection == project
    assert TokenCache(tmp_path, "t", 32).get(dataset, tokenizer).projection is None
