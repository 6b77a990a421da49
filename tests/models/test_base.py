from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer, BertConfig, RobertaConfig

from lmc_track.errors import InputError
from lmc_track.models.base import base_digest, longest_input, read_base, resolve_base
from lmc_track.models.pretraining import pretrained_base
from lmc_track.progress import Silent
from lmc_track.study.task_sections import AgreementTask
from support.tiny_models import tiny_base

SMALL = AgreementTask(
    name="agreement", base_seed=100, pretraining_sentences=100, pretraining_steps=3
)


def resolved(base: str, cache: Path) -> Path:
    return resolve_base(base, None, cache, {})


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    assert resolved(str(folder), tmp_path) == folder


def test_no_base_at_all_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no encoder is named(.|\n)*--set model\.base=FOLDER"):
        resolved("", tmp_path)


@pytest.mark.parametrize("base", ["./none", "/no/such/folder", "~/no-such-folder", "a/b/c"])
def test_an_absent_folder_is_told_as_one(tmp_path: Path, base: str) -> None:
    with pytest.raises(InputError, match=r"there is no folder(.|\n)*--set model\.base"):
        resolved(base, tmp_path)


def test_a_hub_id_that_cannot_be_reached_says_how_to_give_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be reached(.|\n)*--set model\.base=FOLDER"):
        resolved("no-such-owner/no-such-model", tmp_path)


def test_a_folder_without_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no config\.json"):
        resolved(str(tmp_path), tmp_path)


def test_the_model_folder_inside_is_pointed_at(tmp_path: Path) -> None:
    tiny_base(tmp_path / "package" / "model")
    with pytest.raises(InputError, match=r"--set model\.base=.*package/model"):
        resolved(str(tmp_path / "package"), tmp_path)


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"holds no model\.safetensors"):
        resolved(str(folder), tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="holds no tokenizer"):
        resolved(str(folder), tmp_path)


def with_config(folder: Path, **changed: object) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    return folder


def test_code_that_comes_with_a_model_is_never_run(tmp_path: Path) -> None:
    folder = with_config(
        tiny_base(tmp_path / "base"), model_type="own", auto_map={"AutoConfig": "code.Own"}
    )
    mark = tmp_path / "it-ran"
    (folder / "code.py").write_text(f"open({str(mark)!r}, 'w')\n")
    with pytest.raises(InputError, match="code of its own, which is never run"):
        read_base(folder)
    assert not mark.exists()


def test_an_architecture_that_transformers_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = with_config(tiny_base(tmp_path / "base"), model_type="no-such-architecture")
    with pytest.raises(InputError, match=r"cannot load(.|\n)*no-such-architecture"):
        read_base(folder)


def test_an_architecture_without_a_text_classifier_is_refused(tmp_path: Path) -> None:
    folder = with_config(tiny_base(tmp_path / "base"), model_type="vit")
    with pytest.raises(InputError, match="'vit', of which transformers has no sequence"):
        read_base(folder)


def test_layout_and_origin_of_the_configuration_are_not_in_the_digest(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    before = base_digest(folder)
    file = folder / "config.json"
    config = json.loads(file.read_text()) | {"_name_or_path": "/x", "transformers_version": "0"}
    file.write_text(json.dumps(dict(reversed(config.items()))))
    assert base_digest(folder) == before


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("config.json", "layer_norm_eps", 0.5), ("tokenizer_config.json", "model_max_length", 9)],
)
def test_configuration_and_tokenizer_are_in_the_digest(
    tmp_path: Path, name: str, key: str, value: float
) -> None:
    folder = tiny_base(tmp_path / "base")
    before = base_digest(folder)
    file = folder / name
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    assert base_digest(folder) != before


def test_weights_are_in_the_digest(tmp_path: Path) -> None:
    bases = [tiny_base(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    assert base_digest(bases[0]) != base_digest(bases[1])


def test_inputs_are_as_long_as_the_positions_reach(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base(tmp_path / "base"))
    tokenizer.model_max_length = int(1e30)
    assert longest_input(BertConfig(max_position_embeddings=32), tokenizer) == 32


def test_positions_of_roberta_start_after_the_padding_id(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base(tmp_path / "base"))
    tokenizer.model_max_length = int(1e30)
    config = RobertaConfig(max_position_embeddings=514, pad_token_id=1)
    assert longest_input(config, tokenizer) == 512


def test_the_pretrained_base_can_be_finetuned(tmp_path: Path) -> None:
    folder = pretrained_base(SMALL, tmp_path, Silent())
    assert resolved(str(folder), tmp_path) == folder


def test_the_pretrained_base_is_made_once(tmp_path: Path) -> None:
    folder = pretrained_base(SMALL, tmp_path, Silent())
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert pretrained_base(SMALL, tmp_path, Silent()) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written


def test_the_pretrained_base_is_identical_wherever_it_is_made(tmp_path: Path) -> None:
    bases = [pretrained_base(SMALL, tmp_path / name, Silent()) for name in ("a", "b")]
    assert base_digest(bases[0]) == base_digest(bases[1])


@pytest.mark.parametrize("changed", [{"base_seed": 101}, {"violation_rate": 0.0}])
def test_other_settings_make_another_pretrained_base(
    tmp_path: Path, changed: dict[str, float]
) -> None:
    other = SMALL.model_copy(update=changed)
    bases = [pretrained_base(section, tmp_path, Silent()) for section in (SMALL, other)]
    assert base_digest(bases[0]) != base_digest(bases[1])


def test_nothing_half_made_is_left_in_the_cache(tmp_path: Path) -> None:
    folder = pretrained_base(SMALL, tmp_path, Silent())
    assert list(folder.parent.iterdir()) == [folder]
