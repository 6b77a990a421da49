"""Checkpoints are opened by what they contain, never by what they are called."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lmc_track.errors import WorkError
from lmc_track.geometry.interpolation import ResidentModel
from lmc_track.geometry.loading import StoredLayout, load_weights, open_weights
from lmc_track.geometry.weights import check_same_shape
from lmc_track.geometry.weights_cache import Checkpoint, WeightsCache
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.loading import unique_state
from support.tiny_models import tiny_classifiers

PLENTY = 1 << 30


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_classifiers(tmp_path_factory.mktemp("models"), 3)


@pytest.fixture
def own(folders: list[Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folders[0], tmp_path / "own"))


@pytest.fixture(scope="module")
def layout(folders: list[Path]) -> StoredLayout:
    found = ResidentModel(folders[0]).layout
    assert found is not None
    return found


def bias(weights: object) -> torch.Tensor:
    return weights["classifier.bias"].clone()  # type: ignore[index]


def rewrite(folder: Path, add: float, *, in_place: bool = False) -> None:
    """Other weights under the same name, with the size and the times of the old file."""
    file = folder / "model.safetensors"
    before = file.stat()
    tensors = load_file(file)
    tensors["classifier.bias"] = tensors["classifier.bias"] + add
    save_file(tensors, folder / "new", metadata={"format": "pt"})
    if in_place:
        file.write_bytes((folder / "new").read_bytes())
        (folder / "new").unlink()
    else:
        (folder / "new").replace(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_models_of_other_shapes_cannot_be_joined(folders: list[Path], tmp_path: Path) -> None:
    three = tiny_classifiers(tmp_path, 1, label_names=("a", "b", "c"))[0]
    with pytest.raises(WorkError, match=r"classifier\.weight"):
        check_same_shape(load_weights(folders[0]), load_weights(three), "one", "other")


def test_weights_that_are_not_finite_are_refused(folders: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    tiny_classifiers(tmp_path, 1)[0].rename(broken)
    tensors = load_file(broken / "model.safetensors")
    tensors["classifier.bias"][0] = float("nan")
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WorkError, match="not finite"):
        load_weights(broken)


@pytest.mark.parametrize("left", [None, 0, 40, -1])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, left: int | None) -> None:
    folder = tiny_classifiers(tmp_path, 1)[0]
    file = folder / "model.safetensors"
    content = file.read_bytes()
    file.unlink()
    if left is not None:
        file.write_bytes(content[:left])
    with pytest.raises(WorkError, match=f"the checkpoint in {folder} is damaged: "):
        load_weights(folder)


def test_mapped_weights_are_those_that_transformers_loads(
    folders: list[Path], layout: StoredLayout
) -> None:
    mapped, loaded = open_weights(folders[1], layout), load_weights(folders[1])
    assert mapped.keys() == loaded.keys()
    assert all(torch.equal(mapped[name], loaded[name]) for name in loaded)


def test_weights_stored_in_half_are_opened_in_full(own: Path, layout: StoredLayout) -> None:
    file = own / "model.safetensors"
    halves = {name: tensor.bfloat16() for name, tensor in load_file(file).items()}
    save_file(halves, file, metadata={"format": "pt"})
    opened = open_weights(own, layout)
    assert {tensor.dtype for tensor in opened.values()} == {torch.float32}
    assert torch.equal(bias(opened), halves["classifier.bias"].float())


def test_names_of_the_past_are_left_to_transformers(own: Path, layout: StoredLayout) -> None:
    file = own / "model.safetensors"
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma"): tensor
        for name, tensor in load_file(file).items()
    }
    save_file(old, file, metadata={"format": "pt"})
    assert not layout.fits(own)
    model = ResidentModel(own)
    assert model.layout is None
    assert open_weights(own, layout).keys() == unique_state(model.model).keys()


@pytest.mark.parametrize("in_place", [False, True])
def test_other_weights_under_an_old_name_are_not_taken_for_the_old_ones(
    own: Path, layout: StoredLayout, in_place: bool
) -> None:
    cache = WeightsCache(PLENTY)
    recorded = Checkpoint(own, weights_digest(own))
    cache.get(recorded, layout)
    rewrite(own, 1.0, in_place=in_place)
    with pytest.raises(WorkError, match="holds other weights than were recorded"):
        cache.get(recorded, layout)


def test_weights_without_a_digest_are_read_again_when_they_change(
    own: Path, layout: StoredLayout
) -> None:
    cache = WeightsCache(PLENTY)
    before = bias(cache.get(Checkpoint(own), layout))
    rewrite(own, 1.0)
    assert torch.equal(bias(cache.get(Checkpoint(own), layout)), before + 1)


def test_a_checkpoint_put_back_is_taken_again(own: Path, layout: StoredLayout) -> None:
    recorded = Checkpoint(own, weights_digest(own))
    cache = WeightsCache(PLENTY)
    before = bias(cache.get(recorded, layout))
    kept = (own / "model.safetensors").read_bytes()
    rewrite(own, 1.0)
    with pytest.raises(WorkError, match="other weights"):
        cache.get(recorded, layout)
    (own / "model.safetensors").write_bytes(kept)
    assert torch.equal(bias(cache.get(recorded, layout)), before)


def test_a_full_cache_keeps_the_newest_two(folders: list[Path], layout: StoredLayout) -> None:
    size = sum(tensor.nbytes for tensor in load_weights(folders[0]).values())
    cache = WeightsCache(2 * size)
    first, second, third = (Checkpoint(folder) for folder in folders)
    one, two = cache.get(first, layout), cache.get(second, layout)
    assert cache.get(first, layout) is one
    cache.get(third, layout)
    assert cache.get(first, layout) is one
    assert cache.get(second, layout) is not two


def test_a_missing_folder_is_named(folders: list[Path], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(WorkError, match=f"the checkpoint in {gone} is damaged"):
        WeightsCache(PLENTY).get(Checkpoint(gone), None)
