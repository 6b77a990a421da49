"""The best routes between models over the evaluated points of a plane.

A route steps from a point of the grid to one of its eight neighbours; the three models are points
too, each a neighbour of the corners of the cell that it lies in. What a route costs is the
greatest loss at its points, and the best route is one that costs least: a minimax path. Between
two points nothing was evaluated, so of the way itself the number says as much as the grid is fine.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A model in the plane, and its own loss, nats."""

    x: float
    y: float
    loss: float


@dataclass(frozen=True)
class Route:
    """A best route, the shortest of them: ``loss`` is the greatest at its points, ends included.

    ``barrier`` is how far that is above the higher one of its two ends, at least 0, in nats.
    ``xs`` and ``ys`` are its points, ``length`` is a distance of weights.
    """

    loss: float
    barrier: float
    length: float
    xs: tuple[float, ...]
    ys: tuple[float, ...]


def best_routes(
    xs: Sequence[float], ys: Sequence[float], losses: Floats, models: Sequence[Place]
) -> dict[tuple[int, int], Route | None]:
    """The best route between every two of ``models``, by their indices, the smaller first.

    ``losses``: (len(ys), len(xs)); a point whose loss is not finite is on no route. None where
    there is no route.
    """
    graph = _Graph(xs, ys, losses, models)
    return {(a, b): graph.route(a, b) for a, b in itertools.combinations(range(len(models)), 2)}


class _Graph:
    """Points of the grid by number, row after row, and then the models."""

    def __init__(
        self, xs: Sequence[float], ys: Sequence[float], losses: Floats, models: Sequence[Place]
    ) -> None:
        self._columns, self._rows = len(xs), len(ys)
        self._first_model = len(xs) * len(ys)
        self._x = [*(x for _ in ys for x in xs), *(model.x for model in models)]
        self._y = [*(y for y in ys for _ in xs), *(model.y for model in models)]
        self._loss = [*losses.ravel().tolist(), *(model.loss for model in models)]
        self._attached: dict[int, list[int]] = {}
        for number, model in enumerate(models, self._first_model):
            i, j = _cell(xs, model.x), _cell(ys, model.y)
            corners = [j * len(xs) + i + step for step in (0, 1, len(xs), len(xs) + 1)]
            for corner in corners:
                self._attached.setdefault(corner, []).append(number)
            self._attached[number] = corners

    def route(self, a: int, b: int) -> Route | None:
        start, end = self._first_model + a, self._first_model + b
        higher = max(self._loss[start], self._loss[end])
        found = self._search(start, end, lambda cost, _, other: max(cost, self._loss[other]))
        if found is None or not math.isfinite(higher):
            return None
        loss = max(self._loss[node] for node in found)
        shortest = self._search(start, end, self._step_length, highest=loss)
        assert shortest is not None
        length = sum(self._step(one, other) for one, other in itertools.pairwise(shortest))
        return Route(
            loss,
            max(loss - higher, 0.0),
            length,
            tuple(self._x[node] for node in shortest),
            tuple(self._y[node] for node in shortest),
        )

    def _search(
        self,
        start: int,
        end: int,
        cost_of: Callable[[float, int, int], float],
        highest: float = math.inf,
    ) -> list[int] | None:
        """Dijkstra's cheapest way by ``cost_of(cost so far, from, to)``, over no point whose loss
        is above ``highest`` or not finite."""
        costs, before = {start: -math.inf if highest == math.inf else 0.0}, {start: start}
        waiting, done = [(costs[start], start)], set()
        while waiting:
            cost, node = heapq.heappop(waiting)
            if node == end:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if node in done:
                continue
            done.add(node)
            for other in self._neighbours(node):
                if not (math.isfinite(self._loss[other]) and self._loss[other] <= highest):
                    continue
                further = cost_of(cost, node, other)
                if further < costs.get(other, math.inf):
                    costs[other], before[other] = further, node
                    heapq.heappush(waiting, (further, other))
        return None

    def _neighbours(self, node: int) -> Iterator[int]:
        yield from self._attached.get(node, ())
        if node >= self._first_model:
            return
        j, i = divmod(node, self._columns)
        for row in range(max(j - 1, 0), min(j + 2, self._rows)):
            for column in range(max(i - 1, 0), min(i + 2, self._columns)):
                if (row, column) != (j, i):
                    yield row * self._columns + column

    def _step(self, one: int, other: int) -> float:
        return math.hypot(self._x[one] - self._x[other], self._y[one] - self._y[other])

    def _step_length(self, cost: float, one: int, other: int) -> float:
        return cost + self._step(one, other)


def _cell(edges: Sequence[float], value: float) -> int:
    """The number of the cell between ``edges`` that has ``value``, which is not outside them."""
    return min(max(int(np.searchsorted(edges, value, side="right")) - 1, 0), len(edges) - 2)
