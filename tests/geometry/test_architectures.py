"""Losses are those of plain transformers, for the architectures that people finetune."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    RobertaConfig,
)

from lmc_track.geometry.batching import Batching
from lmc_track.geometry.encoding import EncodedDataset, encode
from lmc_track.geometry.engine import Engine, EngineSettings
from lmc_track.geometry.interpolation import ResidentModel, materialize
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.words import word_tokenizer
from lmc_track.tasks.dataset import Dataset, build_dataset
from support.tiny_models import WORDS

VOCABULARY = len(WORDS) + 5
COMMON = {"vocab_size": VOCABULARY, "initializer_range": 0.5, "pad_token_id": 0}
WIDE = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
    **COMMON,
}
CONFIGS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertConfig(**WIDE),
    "distilbert": lambda: DistilBertConfig(
        dim=8, n_layers=2, n_heads=2, hidden_dim=16, max_position_embeddings=40, **COMMON
    ),
    "roberta": lambda: RobertaConfig(**WIDE),
    "deberta-v2": lambda: DebertaV2Config(
        relative_attention=True,
        position_buckets=8,
        pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        conv_kernel_size=3,
        **WIDE,
    ),
}


@pytest.fixture(scope="module", params=list(CONFIGS))
def folders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two saved classifiers of one architecture."""
    made = []
    for seed in range(2):
        folder = tmp_path_factory.mktemp(f"{request.param}-{seed}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoModelForSequenceClassification.from_config(CONFIGS[request.param]())
        model.save_pretrained(folder)
        word_tokenizer(WORDS, max_length=32).save_pretrained(folder)
        made.append(folder)
    return made


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(25)]
    labels = [int(label) for label in rng.integers(0, 2, 25)]
    return build_dataset("v", "validation", texts={"s": texts}, labels=labels, source="t")


@pytest.fixture(scope="module")
def encoded(dataset: Dataset) -> EncodedDataset:
    return encode(dataset, word_tokenizer(WORDS, max_length=32), 32)


def plain_losses(folder: Path, encoded: EncodedDataset) -> np.ndarray:
    """Losses one sentence at a time, with nothing of ours but the token ids."""
    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    losses = []
    for row, label in enumerate(encoded.labels):
        ids = {
            name: torch.tensor([rows[row].tolist()])
            for name, rows in encoded.inputs.items()
            if name == "input_ids" or model.config.model_type == "bert"
        }
        with torch.no_grad():
            losses.append(model(**ids, labels=torch.tensor([int(label)])).loss.item())
    return np.array(losses)


@pytest.mark.parametrize("batching", [Batching(), Batching(30, 1, "eager")])
def test_points_and_ends_have_the_losses_of_plain_calls(
    folders: list[Path], encoded: EncodedDataset, tmp_path: Path, batching: Batching
) -> None:
    engine = Engine({"v": encoded}, EngineSettings(batching=batching))
    a, b = (Checkpoint(folder) for folder in folders)
    ends = [engine.model_predictions(one, ["v"])["v"] for one in (a, b)]
    for folder, found in zip(folders, ends, strict=True):
        assert np.allclose(found.loss, plain_losses(folder, encoded), atol=1e-5)
    for alpha, found_on in engine.path_predictions(a, b, {0.25: ["v"], 0.6: ["v"]}):
        materialize(*folders, alpha, tmp_path / f"{alpha}")
        expected = plain_losses(tmp_path / f"{alpha}", encoded)
        assert np.allclose(found_on["v"].loss, expected, atol=1e-5)


def test_weights_are_mapped_under_their_own_names(folders: list[Path]) -> None:
    assert ResidentModel(folders[0]).layout is not None
