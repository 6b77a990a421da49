"""A base model that cannot be used is refused before anything is recorded."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lmc_track.errors import InputError, WorkError
from lmc_track.geometry import engine as engine_module
from lmc_track.models import finetuning
from lmc_track.progress import Silent
from lmc_track.steps.run import evaluate_step, finetune_step
from lmc_track.study import Study, build_study
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from support.studies import runs_of, tiny_study
from support.tiny_models import tiny_base, tiny_classifiers

COLA = "".join(
    f"ks08\t{k % 2}\t\tthe {' '.join(['cat sees'] * (1 + k % 3))} dogs\n" for k in range(16)
)


def cola_study(folder: Path, base: Path, **finetune: Any) -> Study:
    folder.mkdir(exist_ok=True)
    for name in ("in_domain_train.tsv", "in_domain_dev.tsv", "out_of_domain_dev.tsv"):
        (folder / name).write_text(COLA, encoding="utf-8")
    return build_study(
        {
            "study": {"name": "own"},
            "task": {"name": "cola", "data_dir": str(folder)},
            "model": {"base": str(base)},
            "finetune": {"max_steps": 1, "batch_size": 8, **(finetune or {"seeds": "0-1"})},
            "evaluate": {"datasets": ["validation"]},
        }
    )


class Notes(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def is_recorded(location: Location, name: str) -> bool:
    found = Store(location).client.search_experiments(filter_string=f"name = '{name}'")
    return bool(found)


def test_a_base_with_other_names_is_refused_before_anything_is_recorded(
    home: Location, tmp_path: Path
) -> None:
    base = tiny_base(tmp_path / "base")
    file = base / "model.safetensors"
    save_file({f"module.{n}": t for n, t in load_file(file).items()}, file, {"format": "pt"})
    with pytest.raises(InputError, match=r"does not load whole: no file has bert\."):
        finetune_step(cola_study(tmp_path / "cola", base), home, Silent())
    assert not is_recorded(home, "own")


def test_a_base_without_a_padding_token_is_refused_before_anything_is_recorded(
    home: Location, tmp_path: Path
) -> None:
    base = tiny_base(tmp_path / "base")
    for name, key in (("config.json", "pad_token_id"), ("tokenizer_config.json", "pad_token")):
        content = json.loads((base / name).read_text())
        (base / name).write_text(json.dumps({**content, key: None}))
    with pytest.raises(InputError, match="names a padding token"):
        finetune_step(cola_study(tmp_path / "cola", base), home, Silent())
    assert not is_recorded(home, "own")


def test_a_new_head_in_place_of_one_that_is_there_is_told(home: Location, tmp_path: Path) -> None:
    notes = Notes()
    base = tiny_classifiers(tmp_path / "models", 1)[0]
    study = cola_study(tmp_path / "cola", base, head_seeds="0-1", data_seeds="0")
    finetune_step(study, home, notes)
    assert any("every model gets a new one from its head seed" in text for text in notes.texts)
    digests = {run.params["weights_digest"] for run in runs_of(home, "own").all("model")}
    assert len(digests) == 2


def test_a_checkpoint_of_the_study_that_does_not_load_whole_is_named(
    home_with_base: Location,
) -> None:
    finetune_step(tiny_study(finetune={"seeds": "0-1"}), home_with_base, Silent())
    files = list(home_with_base.home.rglob("model/config.json"))
    assert len(files) == 2
    for file in files:
        content = json.loads(file.read_text())
        file.write_text(json.dumps({**content, "num_hidden_layers": 1}))
    more = tiny_study(
        finetune={"seeds": "0-1"},
        evaluate={"datasets": ["validation", "main_only", "embedded_only"]},
    )
    with pytest.raises(WorkError, match=r"does not load whole(.|\n)*bert\.encoder\.layer\.1"):
        evaluate_step(more, home_with_base, Silent())


def live_weights() -> int:
    """Bytes of all tensors that Python still has."""
    found = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in gc.get_objects()
        if type(tensor) in (torch.Tensor, torch.nn.Parameter)
    }
    return sum(found.values())


def test_finetuning_many_models_holds_none_of_them(
    home_with_base: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Automatic garbage collections are off: what stays would stay for good in a long study."""
    models: list[weakref.ref[Any]] = []
    held: list[int] = []
    make, train = finetuning._classifier, finetuning.finetune

    def made(*args: Any, **settings: Any) -> Any:
        model = make(*args, **settings)
        models.append(weakref.ref(model))
        return model

    def trained(*args: Any, **settings: Any) -> Any:
        held.append(live_weights())
        log = train(*args, **settings)
        assert [model() for model in models] == [None] * len(models)
        return log

    monkeypatch.setattr(finetuning, "_classifier", made)
    monkeypatch.setattr(finetuning, "finetune", trained)
    engine_module._kept.clear()
    gc.collect()
    gc.disable()
    try:
        finetune_step(tiny_study(finetune={"seeds": "0-7"}), home_with_base, Silent())
    finally:
        gc.enable()
    assert len(models) == len(held) == 8
    # The engine, made after the first training, has one model; each further one adds nothing.
    weights = sum(
        tensor.nbytes
        for tensor in load_file(next(home_with_base.home.rglob("model/model.safetensors"))).values()
    )
    assert held[7] - held[2] < weights / 10


def test_models_that_are_read_once_are_not_held(tmp_path: Path) -> None:
    folders = tiny_classifiers(tmp_path, 3)
    cache = engine_module.WeightsCache(1 << 30)
    for folder in folders:
        cache.read(engine_module.Checkpoint(folder), None)
    assert not cache._held
