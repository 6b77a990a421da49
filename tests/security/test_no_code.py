"""Checkpoints and data that others made run nothing, by whatever command they are read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.geometry.loading import load_classifier
from lmc_track.geometry.token_cache import read_encoded
from lmc_track.models.base import read_base, resolve_base
from lmc_track.tasks.hub import load_splits
from lmc_track.warehouse.results import open_results
from support.programs import Lmc
from support.stores import empty_home
from support.tiny_models import tiny_base, tiny_classifiers

SENTENCES = "".join(
    f"ks08\t{n % 2}\t\tthe {first} {second}\n"
    for first in ("cat", "dog", "cats", "dogs")
    for n, second in enumerate(("sleeps", "sleep"))
)
STUDY = """
[study]
name = "own"
[task]
name = "cola"
data_dir = "cola"
[model]
base = "{base}"
[finetune]
seeds = []
[evaluate]
datasets = ["validation"]
[interpolate]
points = 3
"""
BESIDE = (
    "pytorch_model.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth",
    "training_args.bin", "trainer_state.pkl", "vocab.pkl", "tokenizer.pkl", "model.npy",
    "adapter_model.bin", "flax_model.msgpack", "tf_model.h5", "state.pt",
)  # fmt: skip
OWN_CODE = "open({marker!r}, 'w').close()\nclass Own: pass\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs: a study file, its data, an empty home."""
    (tmp_path / "study.toml").write_text(STUDY.format(base=""))
    (tmp_path / "cola").mkdir()
    for name in ("in_domain_train.tsv", "in_domain_dev.tsv", "out_of_domain_dev.tsv"):
        (tmp_path / "cola" / name).write_text(SENTENCES)
    empty_home(tmp_path / "mlruns")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed(folder: Path, name: str, **keys: Any) -> None:
    file = folder / name
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def with_code(folder: Path, marker: Path) -> Path:
    for name in ("code.py", "modeling_own.py", "tokenization_own.py", f"{folder.name}.py"):
        (folder / name).write_text(OWN_CODE.format(marker=str(marker)))
    return folder


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pkl"]
)
def test_a_pickled_checkpoint_is_refused_by_every_command(
    lmc: Lmc, place: Path, harmful: bytes, marker: Path, name: str
) -> None:
    (folder,) = tiny_classifiers(place / "runs", 1)
    (folder / "model.safetensors").rename(folder / name)
    (folder / name).write_bytes(harmful)
    (place / "based.toml").write_text(STUDY.format(base=folder))
    for arguments in (
        ("register", "study.toml", str(folder)),
        ("register", "study.toml", str(folder), "--copy"),
        ("run", "based.toml"),
        ("finetune", "based.toml", "--set", "finetune.seeds=0-1"),
    ):
        done = lmc(*arguments)
        assert done.code == 2, done.printed
        assert "model.safetensors" in done.err or "pickle" in done.err
        assert "Traceback" not in done.err
    assert not marker.exists()


def test_pickles_beside_safetensors_are_never_touched(
    tmp_path: Path, harmful: bytes, marker: Path
) -> None:
    (folder,) = tiny_classifiers(tmp_path, 1)
    for name in BESIDE:
        (folder / name).write_bytes(harmful)
    load_classifier(folder)
    read_base(resolve_base(str(folder), None, tmp_path, {}))
    assert not marker.exists()


@pytest.mark.full
def test_a_checkpoint_with_pickles_beside_it_is_registered_without_them(
    lmc: Lmc, place: Path, harmful: bytes, marker: Path
) -> None:
    folders = tiny_classifiers(place / "runs", 2)
    for folder in folders:
        for name in BESIDE:
            (folder / name).write_bytes(harmful)
    done = lmc("register", "study.toml", *map(str, folders), "--copy", "--labels",
               "unacceptable,acceptable")  # fmt: skip
    assert done.code == 0, done.printed
    done = lmc("interpolate", "own")
    assert done.code == 0, done.printed
    kept = {file.name for file in (place / "mlruns" / "artifacts").rglob("*") if file.is_file()}
    assert not kept & set(BESIDE)
    assert not marker.exists()


@pytest.mark.parametrize("kind", ["own architecture", "own class of a known one"])
def test_code_that_comes_with_a_checkpoint_is_never_run(
    lmc: Lmc, place: Path, marker: Path, kind: str
) -> None:
    (folder,) = tiny_classifiers(place / "runs", 1)
    with_code(folder, marker)
    maps = dict.fromkeys(("AutoConfig", "AutoModelForSequenceClassification"), "code.Own")
    own = {"model_type": "own"} if kind == "own architecture" else {}
    changed(folder, "config.json", auto_map=maps, trust_remote_code=True, **own)
    done = lmc("register", "study.toml", str(folder), "--labels", "acceptable,unacceptable")
    assert done.code == (2 if own else done.code)
    assert "Traceback" not in done.err
    assert not marker.exists()


def test_code_that_comes_with_a_tokenizer_is_never_run(tmp_path: Path, marker: Path) -> None:
    folder = with_code(tiny_base(tmp_path / "base"), marker)
    changed(
        folder,
        "tokenizer_config.json",
        tokenizer_class="OwnTokenizer",
        auto_map={"AutoTokenizer": ["tokenization_own.Own", "tokenization_own.Own"]},
        trust_remote_code=True,
    )
    with suppress(InputError):
        read_base(resolve_base(str(folder), None, tmp_path, {}))
    assert not marker.exists()


@pytest.mark.parametrize("key", ["attn_implementation", "experts_implementation"])
@pytest.mark.parametrize("value", ["somebody/kernel", "somebody/kernel@main:run", {"": "a/b"}])
def test_a_configuration_that_asks_for_code_of_the_hub_is_refused(
    tmp_path: Path, key: str, value: Any
) -> None:
    folder = tiny_base(tmp_path / "base")
    changed(folder, "config.json", **{key: value})
    with pytest.raises(InputError, match=f"{key}.*never run"):
        resolve_base(str(folder), None, tmp_path, {})


def test_a_way_of_attention_that_is_no_code_is_none_of_these(tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "base")
    changed(folder, "config.json", attn_implementation="eager")
    assert resolve_base(str(folder), None, tmp_path, {}) == folder


def test_an_adapter_beside_a_base_is_not_loaded_with_it(
    tmp_path: Path, harmful: bytes, marker: Path
) -> None:
    folder = tiny_base(tmp_path / "base")
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_model.bin").write_bytes(harmful)
    with pytest.raises(InputError, match="adapter"):
        resolve_base(str(folder), None, tmp_path, {})
    assert not marker.exists()


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    folder = tiny_base(tmp_path / "base")
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json is damaged"):
        resolve_base(str(folder), None, tmp_path, {})


def test_a_data_set_read_by_a_program_of_its_own_is_refused(tmp_path: Path, marker: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with_code(folder, marker)
    (folder / "README.md").write_text("---\ntrust_remote_code: true\n---\n")
    with pytest.raises(InputError):
        load_splits(str(folder), None, None, {}, "")
    assert not marker.exists()


@pytest.mark.parametrize("suffix", ["pkl", "pt", "npy", "npz", "bin", "joblib"])
def test_data_in_pickles_are_refused(
    lmc: Lmc, place: Path, harmful: bytes, marker: Path, suffix: str
) -> None:
    data = place / "data"
    data.mkdir()
    for name in ("train", "validation"):
        (data / f"{name}.{suffix}").write_bytes(harmful)
    with pytest.raises(InputError):
        load_splits(str(data), None, None, {}, "")
    base = tiny_base(place / "base")
    (place / "own.toml").write_text(
        f'[study]\nname = "own"\n[model]\nbase = "{base}"\n[task]\nname = "tabular"\n'
        'labels = ["a", "b"]\ntext = "t"\nlabel = "l"\n'
        f'[task.train]\nfile = "data/train.{suffix}"\n'
        f'[task.validation]\nfile = "data/validation.{suffix}"\n'
    )
    done = lmc("run", "own.toml")
    assert done.code == 2, done.printed
    assert suffix in done.err
    assert not marker.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "scores", "FILE"),
        ("import", "clusters", "FILE"),
        ("import", "evaluation-logs", "FILE", "--dataset", "validation"),
        ("import", "interpolation-logs", "FILE"),
    ],
    ids=lambda arguments: arguments[1],
)
@pytest.mark.parametrize("suffix", ["pkl", "json", "csv", "log"])
def test_pickled_results_are_refused(
    lmc: Lmc, place: Path, harmful: bytes, marker: Path, arguments: tuple[str, ...], suffix: str
) -> None:
    file = place / f"results.{suffix}"
    file.write_bytes(harmful)
    given = (str(file) if word == "FILE" else word for word in arguments)
    done = lmc(*given, "--study", "own")
    assert done.code == 2, done.printed
    assert "Usage" not in done.err
    assert not marker.exists()


def test_files_of_our_own_that_became_pickles_are_no_files_of_ours(
    tmp_path: Path, harmful: bytes, marker: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(harmful)
    with pytest.raises((OSError, ValueError, KeyError)):
        read_encoded(file, "validation", verify=True)
    with pytest.raises(InputError, match="not a results file"):
        open_results(file)
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(file)
    assert not marker.exists()
