"""Parts of a network by name."""

from __future__ import annotations

import pytest
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from lmc_track.geometry.modules import canonical_modules, module_names, moving_tensors

SMALL = {"vocab_size": 20, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}


def tensors(kind: str) -> list[str]:
    model = {
        "bert": lambda: BertForSequenceClassification(BertConfig(num_hidden_layers=12, **SMALL)),
        "roberta": lambda: RobertaForSequenceClassification(
            RobertaConfig(num_hidden_layers=2, **SMALL)
        ),
        "distilbert": lambda: DistilBertForSequenceClassification(
            DistilBertConfig(vocab_size=20, dim=8, n_heads=2, hidden_dim=16, n_layers=2)
        ),
    }[kind]()
    return list(model.state_dict())


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_the_parts_are_the_whole(kind: str) -> None:
    names = tensors(kind)
    parts = [moving_tensors(module, names) for module in module_names(names)]
    assert sum(map(len, parts)) == len(names)
    assert frozenset().union(*parts) == moving_tensors("all", names) == frozenset(names)


def test_a_layer_is_not_taken_for_another_that_begins_alike() -> None:
    moving = moving_tensors("encoder.layer.1", tensors("bert"))
    assert moving
    assert all(name.startswith("bert.encoder.layer.1.") for name in moving)


def test_there_is_one_spelling_of_a_part() -> None:
    names = tensors("bert")
    assert canonical_modules("bert.encoder.layer.3", names) == "encoder.layer.3"
    assert canonical_modules(" pooler + embeddings+pooler", names) == "embeddings+pooler"
    assert canonical_modules("all", names) == "all"


def test_parts_that_are_joined_move_together() -> None:
    names = tensors("distilbert")
    both = moving_tensors("classifier+pre_classifier", names)
    assert both == {name for name in names if "classifier" in name}


@pytest.mark.parametrize("given", ["encoder.layer.12", "layer.1", "", "encoder+"])
def test_an_unknown_part_is_refused_with_what_there_is(given: str) -> None:
    with pytest.raises(
        ValueError, match=r"no module .*; there are .*embeddings.*encoder\.layer\.0"
    ):
        canonical_modules(given, tensors("bert"))
