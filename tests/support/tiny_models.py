"""Tiny real BERT models with a real tokenizer, made in a fraction of a second, no network."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from lmc_track.models.words import word_tokenizer

WORDS = ("the", "a", "cat", "dog", "cats", "dogs", "who", "sees", "see", "sleeps", "sleep", "not")


def tiny_base(
    folder: Path, *, words: tuple[str, ...] = WORDS, dropout: float = 0.0, seed: int = 0
) -> Path:
    """Save a base model (one layer, 8 wide, no classification head) in ``folder``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertForMaskedLM(_config(words, dropout))
    return _save(model, folder, words)


def tiny_classifiers(
    folder: Path,
    n: int,
    *,
    words: tuple[str, ...] = WORDS,
    label_names: tuple[str, ...] = ("unacceptable", "acceptable"),
    seed: int = 0,
) -> list[Path]:
    """Save ``n`` random classifiers in ``folder/model-0`` …, no two with equal weights."""
    folders = []
    for k in range(n):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + k)
            config = _config(words, 0.0)
            config.id2label = dict(enumerate(label_names))
            config.label2id = {name: index for index, name in enumerate(label_names)}
            model = BertForSequenceClassification(config)
        folders.append(_save(model, folder / f"model-{k}", words))
    return folders


def _config(words: tuple[str, ...], dropout: float) -> BertConfig:
    return BertConfig(
        vocab_size=len(words) + 5,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        initializer_range=0.5,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )


def _save(model: BertForMaskedLM, folder: Path, words: tuple[str, ...]) -> Path:
    model.save_pretrained(folder)
    word_tokenizer(words, max_length=32).save_pretrained(folder)
    return folder
