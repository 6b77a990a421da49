"""Planes through three models: the frame, the grid, and what the engine makes of its points."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from lmc_track.geometry.distances import inner_products
from lmc_track.geometry.encoding import EncodedDataset, encode
from lmc_track.geometry.engine import Engine, EngineSettings
from lmc_track.geometry.interpolation import ResidentModel
from lmc_track.geometry.loading import load_weights
from lmc_track.geometry.planes import DegeneratePlaneError, PlaneFrame, plane_grid
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.tasks.dataset import build_dataset
from support.tiny_models import WORDS, tiny_classifiers

NUMBERS = st.floats(-10, 10, allow_nan=False, width=32)
VECTORS = st.lists(NUMBERS, min_size=4, max_size=4).map(np.array)
SHARES = st.tuples(st.floats(-2, 2), st.floats(-2, 2)).map(lambda bc: (1 - sum(bc), *bc))


def weights(vector: np.ndarray) -> dict[str, torch.Tensor]:
    """A network of two tensors, and a buffer that no plane moves."""
    values = torch.tensor(vector, dtype=torch.float32)
    return {"a": values[:1].clone(), "b": values[1:].clone(), "ids": torch.arange(3)}


def frame_of(*models: np.ndarray) -> PlaneFrame:
    try:
        frame = PlaneFrame.spanned(*inner_products(*(weights(model) for model in models)))
    except DegeneratePlaneError:
        assume(False)
    # Float32 tells nearly flat triangles from flat ones only roughly.
    assume(frame.y_c > 0.01 * max(frame.distances))
    return frame


@given(VECTORS, VECTORS, VECTORS)
def test_models_are_as_far_apart_in_the_plane_as_their_weights(
    a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> None:
    frame = frame_of(a, b, c)
    apart = [np.linalg.norm(one - other) for one, other in ((a, b), (a, c), (b, c))]
    assert frame.distances == pytest.approx(apart, rel=1e-6)
    sides = sum(apart) / 2
    heron = math.sqrt(max(sides * math.prod(sides - side for side in apart), 0))
    assert frame.area == pytest.approx(heron, rel=1e-3)


@given(VECTORS, VECTORS, VECTORS, SHARES, SHARES)
def test_the_frame_is_orthonormal(
    a: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    one: tuple[float, float, float],
    other: tuple[float, float, float],
) -> None:
    """Points are as far apart by their coordinates as by their weights."""
    frame = frame_of(a, b, c)
    models = np.stack([a, b, c])
    apart = np.linalg.norm(np.array(one) @ models - np.array(other) @ models)
    told = math.dist(frame.coordinates(one), frame.coordinates(other))
    assert told == pytest.approx(apart, rel=1e-5, abs=1e-5)


@given(VECTORS, VECTORS, VECTORS, SHARES)
def test_shares_and_coordinates_say_the_same(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, shares: tuple[float, float, float]
) -> None:
    frame = frame_of(a, b, c)
    found = frame.shares(*frame.coordinates(shares))
    assert found == pytest.approx(shares, abs=1e-6)
    assert sum(found) == pytest.approx(1)


def test_the_models_have_the_whole_of_their_own_weights() -> None:
    frame = PlaneFrame(5.0, -2.0, 3.0)
    corners = [frame.shares(x, y) for x, y in frame.positions]
    assert np.allclose(corners, np.eye(3))


@pytest.mark.parametrize(
    ("models", "same"),
    [
        (([0, 1], [0, 1], [2, 0]), (0, 1)),
        (([0, 1], [2, 0], [0, 1]), (0, 2)),
        (([2, 0], [0, 1], [0, 1]), (1, 2)),
        (([0, 0], [1, 2], [2, 4]), None),
        (([0, 0], [3, 3], [1, 1]), None),
    ],
)
def test_no_plane_goes_through_fewer_than_three_places(
    models: tuple[list[float], ...], same: tuple[int, int] | None
) -> None:
    networks = [weights(np.array([*model, 0.0, 0.0])) for model in models]
    with pytest.raises(DegeneratePlaneError) as refused:
        PlaneFrame.spanned(*inner_products(*networks))
    assert refused.value.same == same


@given(
    st.floats(0.1, 20), st.floats(-20, 20), st.floats(0.1, 20), st.integers(2, 30), st.floats(0, 2)
)
def test_the_grid_goes_as_far_beyond_the_models_on_every_side(
    x_b: float, x_c: float, y_c: float, points: int, margin: float
) -> None:
    frame = PlaneFrame(x_b, x_c, y_c)
    grid = plane_grid(frame, points, margin)
    assert len(grid.xs) == len(grid.ys) == points
    assert np.allclose(np.diff(grid.xs), np.diff(grid.xs)[0])
    left, right = min(0, x_c), max(x_b, x_c)
    reach = margin * max(right - left, y_c)
    ends = (grid.xs[0], grid.xs[-1], grid.ys[0], grid.ys[-1])
    assert ends == pytest.approx((left - reach, right + reach, -reach, y_c + reach), abs=1e-9)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_classifiers(tmp_path_factory.mktemp("models"), 3)


@pytest.fixture(scope="module")
def trio(folders: list[Path]) -> list[Checkpoint]:
    return [Checkpoint(folder) for folder in folders]


@pytest.fixture(scope="module")
def encoded(folders: list[Path]) -> EncodedDataset:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 9))) for _ in range(40)]
    labels = [int(label) for label in rng.integers(0, 2, 40)]
    data = build_dataset("v", "validation", texts={"s": texts}, labels=labels, source="t")
    return encode(data, AutoTokenizer.from_pretrained(str(folders[0])), 32)


def test_the_corners_are_the_models_own_predictions(
    trio: list[Checkpoint], encoded: EncodedDataset
) -> None:
    engine = Engine({"v": encoded})
    frame = engine.plane_frame(trio)
    corners = [frame.shares(x, y) for x, y in frame.positions]
    for model, found in zip(trio, engine.plane_predictions(trio, corners, ["v"]), strict=True):
        own = engine.model_predictions(model, ["v"])["v"]
        assert np.allclose(found["v"].logits, own.logits, atol=1e-6)


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_a_point_on_an_edge_is_the_point_of_that_path(
    trio: list[Checkpoint], encoded: EncodedDataset, pair: tuple[int, int]
) -> None:
    engine = Engine({"v": encoded})
    frame = engine.plane_frame(trio)
    first, second = (trio[k] for k in pair)
    (x0, y0), (x1, y1) = (frame.positions[k] for k in pair)
    alphas = (0.25, 1 / 3, 0.9)
    points = [frame.shares(x0 + a * (x1 - x0), y0 + a * (y1 - y0)) for a in alphas]
    on_path = engine.path_predictions(first, second, {alpha: ["v"] for alpha in alphas})
    on_plane = engine.plane_predictions(trio, points, ["v"])
    for (_, path), plane in zip(on_path, on_plane, strict=True):
        assert np.allclose(path["v"].logits, plane["v"].logits, atol=1e-5)


def test_the_frame_agrees_with_the_distances_of_paths(
    trio: list[Checkpoint], encoded: EncodedDataset
) -> None:
    engine = Engine({"v": encoded})
    apart = [engine.l2_distance(trio[a], trio[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert engine.plane_frame(trio).distances == pytest.approx(apart, rel=1e-6)


def test_low_precision_is_of_weights_mixed_in_full_precision(folders: list[Path]) -> None:
    models, shares = [load_weights(folder) for folder in folders], (0.5, -0.25, 0.75)
    resident = ResidentModel(folders[0], "bf16")
    resident.set_mixture(models, shares)
    for name, tensor in resident.model.state_dict().items():
        if tensor.is_floating_point():
            mixed = sum(s * m[name] for s, m in zip(shares, models, strict=True))
            assert torch.equal(tensor, mixed.to(torch.bfloat16))


def test_integer_buffers_are_those_of_the_first_model(folders: list[Path]) -> None:
    models = [load_weights(folder) for folder in folders]
    resident = ResidentModel(folders[0])
    resident._state["ids"] = torch.zeros(3, dtype=torch.int64)
    own = [{**model, "ids": torch.full((3,), k)} for k, model in enumerate(models, 1)]
    resident.set_mixture(own, (0.0, 0.5, 0.5))
    assert resident._state["ids"].tolist() == [1, 1, 1]


def test_a_smaller_batch_budget_changes_nothing(
    trio: list[Checkpoint], encoded: EncodedDataset
) -> None:
    settings = EngineSettings()
    smaller = replace(settings, batching=replace(settings.batching, token_budget=16))
    one, other = (
        next(iter(Engine({"v": encoded}, s).plane_predictions(trio, [(0.2, 0.3, 0.5)], ["v"])))
        for s in (settings, smaller)
    )
    assert np.allclose(one["v"].logits, other["v"].logits, atol=1e-5)
