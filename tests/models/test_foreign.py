"""Files of models that others wrote: whatever is in them, one plain error names it."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lmc_track.errors import InputError
from lmc_track.models.admission import admit, check_files, frame_of
from lmc_track.models.base import base_digest, longest_input, read_base, resolve_base
from lmc_track.models.base_loading import check_base
from lmc_track.models.checkpoints import stored_tensors
from lmc_track.models.foreign import of_others, read_object
from lmc_track.models.padding import padding_of
from lmc_track.models.sources import FoundCheckpoint, Source
from lmc_track.nesting import is_deep
from lmc_track.study.schema import MOST_LABELS
from support.tiny_models import tiny_classifiers

DEEP = "[" * 100_000 + "]" * 100_000
NESTED = '{"a":' * 500 + "1" + "}" * 500


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_classifiers(tmp_path_factory.mktemp("tiny"), 1)[0]


@pytest.fixture
def model(classifier: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(classifier, tmp_path / "model"))


def looked_at_as_base(folder: Path) -> None:
    """As planning does."""
    resolve_base(str(folder), None, folder, {})
    config, tokenizer = read_base(folder)
    longest_input(config, tokenizer)
    padding_of(config, tokenizer)
    base_digest(folder)
    check_base(folder, 2, str(folder))


def looked_at_to_register(folder: Path, frame: Any) -> None:
    check_files(folder, str(folder))
    admit(folder, str(folder), frame)


@pytest.mark.parametrize(
    "content",
    [DEEP, NESTED, "[]", '"text"', "null", "{", "\x00", ""],
    ids=["deep", "nested", "array", "text", "null", "cut", "zero", "empty"],
)
@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
)
def test_json_that_is_no_such_file_is_refused_by_name(
    name: str, content: str, model: Path, classifier: Path
) -> None:
    frame = frame_of(classifier, 2)
    (model / name).write_text(content)
    with pytest.raises(InputError, match=name):
        looked_at_as_base(model)
    with pytest.raises(InputError, match=name):
        looked_at_to_register(model, frame)


ODD: list[Any] = [None, "text", [], {"a": []}, -1, 1.5]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize(
    "key",
    [
        "model_type", "vocab_size", "hidden_size", "num_attention_heads", "num_labels", "id2label",
        "label2id", "pad_token_id", "max_position_embeddings", "architectures", "hidden_act",
        "torch_dtype", "problem_type", "quantization_config", "transformers_version",
    ],
)  # fmt: skip
def test_settings_of_odd_types_are_read_or_refused_in_words(
    key: str, value: Any, model: Path, classifier: Path
) -> None:
    frame = frame_of(classifier, 2)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, key: value}))
    for look in (looked_at_as_base, lambda folder: looked_at_to_register(folder, frame)):
        with suppress(InputError):
            look(model)


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize(
    "key", ["model_max_length", "tokenizer_class", "pad_token", "padding_side"]
)
def test_settings_of_a_tokenizer_of_odd_types_are_read_or_refused_in_words(
    key: str, value: Any, model: Path
) -> None:
    file = model / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    with suppress(InputError):
        looked_at_as_base(model)


@pytest.mark.parametrize(
    "entry",
    [None, 3, [], {}, {"dtype": "F32", "shape": [1], "data_offsets": []},
     {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]},
     {"dtype": "F32", "shape": [1], "data_offsets": ["a", "b"]},
     {"dtype": [], "shape": [1], "data_offsets": [0, 4]},
     {"dtype": "F32", "shape": [1], "data_offsets": [-9, 4]}],
)  # fmt: skip
def test_a_header_of_weights_that_says_odd_things_is_refused(entry: Any, model: Path) -> None:
    header = json.dumps({"tensor": entry}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(4)
    (model / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors is damaged"):
        stored_tensors(model)


def test_more_labels_than_memory_holds_are_refused_before_they_are_made(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    for odd in (
        {"num_labels": 10**12},
        {"id2label": {str(n): "x" for n in range(MOST_LABELS + 1)}},
    ):
        (model / "config.json").write_text(json.dumps({**config, **odd}))
        with pytest.raises(InputError, match="labels; at most 10,000"):
            check_files(model, "model")


def test_a_multi_label_head_is_refused(model: Path, classifier: Path) -> None:
    frame = frame_of(classifier, 2)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(
        json.dumps({**config, "problem_type": "multi_label_classification"})
    )
    with pytest.raises(InputError, match="multi-label head"):
        looked_at_to_register(model, frame)


@pytest.mark.parametrize(
    "content", [DEEP, "[]", "{}", '{"global_step": "9"}', '{"global_step": -1}']
)
def test_notes_of_the_trainer_that_are_odd_are_refused_where_they_are_needed(
    content: str, model: Path
) -> None:
    (model / "trainer_state.json").write_text(content)
    with pytest.raises(InputError, match=r"trainer_state\.json"):
        _ = FoundCheckpoint(Source("model", None), model).step


def test_depth_is_counted_in_lists_and_tables() -> None:
    assert not is_deep({"a": [{"b": 1}]}, 3)
    assert is_deep({"a": [{"b": []}]}, 3)


def test_any_exception_of_a_library_becomes_an_error_in_words() -> None:
    with pytest.raises(InputError, match="reading it: KeyError: 'x'"), of_others("reading it"):
        raise KeyError("x")


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json cannot be read: No such file"):
        read_object(tmp_path / "none.json")
