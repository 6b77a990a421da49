"""Best routes over the points of a grid: minimax paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lmc_track.geometry.routes import Place, best_routes

N = 5
AXIS = [float(k) for k in range(N)]
LOSSES = arrays(np.float64, (N, N), elements=st.floats(0, 1, width=32))
MODELS = [Place(0.5, 0.5, 0.1), Place(3.5, 0.5, 0.2), Place(2.2, 3.7, 0.05)]


def flooded(losses: np.ndarray, level: float, a: Place, b: Place) -> bool:
    """Whether ``a`` and ``b`` are joined by points whose loss is at most ``level``.

    By filling up from the one, cell after cell: nothing of the search under test.
    """
    corners = [
        {(j, i) for i in (int(p.x), int(p.x) + 1) for j in (int(p.y), int(p.y) + 1)} for p in (a, b)
    ]
    reached = {cell for cell in corners[0] if losses[cell] <= level}
    while True:
        more = {
            (j + dj, i + di)
            for j, i in reached
            for dj, di in itertools.product((-1, 0, 1), repeat=2)
            if 0 <= j + dj < N and 0 <= i + di < N and losses[j + dj, i + di] <= level
        }
        if more <= reached:
            return bool(reached & corners[1]) and max(a.loss, b.loss) <= level
        reached |= more


@given(LOSSES)
def test_no_route_is_lower_and_the_best_one_is_there(losses: np.ndarray) -> None:
    a, b = MODELS[0], MODELS[1]
    route = best_routes(AXIS, AXIS, losses, [a, b])[0, 1]
    assert route is not None
    assert flooded(losses, route.loss, a, b)
    assert not flooded(losses, np.nextafter(route.loss, -1), a, b)


@given(LOSSES)
def test_a_route_leads_from_the_one_to_the_other_over_evaluated_points(losses: np.ndarray) -> None:
    for (a, b), route in best_routes(AXIS, AXIS, losses, MODELS).items():
        assert route is not None
        ends = [(route.xs[k], route.ys[k]) for k in (0, -1)]
        assert ends == [(MODELS[k].x, MODELS[k].y) for k in (a, b)]
        known = {(m.x, m.y): m.loss for m in MODELS}
        known |= {(x, y): losses[j, i] for j, y in enumerate(AXIS) for i, x in enumerate(AXIS)}
        on_it = [known[point] for point in zip(route.xs, route.ys, strict=True)]
        assert max(on_it) == route.loss
        steps = np.hypot(np.diff(route.xs), np.diff(route.ys))
        assert (steps <= np.sqrt(2) + 1e-9).all()
        assert route.length == pytest.approx(steps.sum())
        assert route.barrier == max(route.loss - max(MODELS[a].loss, MODELS[b].loss), 0)


def test_a_way_round_a_wall_is_found() -> None:
    losses = np.zeros((N, N))
    losses[:4, 2] = 1.0
    ends = [Place(0.5, 0.5, 0.0), Place(3.5, 0.5, 0.0)]
    route = best_routes(AXIS, AXIS, losses, ends)[0, 1]
    assert route is not None
    assert route.loss == 0
    assert max(route.ys) == 4


def test_of_equally_low_routes_the_shortest_is_taken() -> None:
    ends = [Place(0.0, 2.0, 0.0), Place(4.0, 2.0, 0.0)]
    route = best_routes(AXIS, AXIS, np.full((N, N), 0.5), ends)[0, 1]
    assert route is not None
    assert route.length == pytest.approx(4)


def test_no_route_leads_over_a_loss_that_is_not_finite() -> None:
    losses = np.zeros((N, N))
    losses[:, 2] = np.nan
    ends = [Place(0.5, 0.5, 0.0), Place(3.5, 0.5, 0.0)]
    assert best_routes(AXIS, AXIS, losses, ends)[0, 1] is None
