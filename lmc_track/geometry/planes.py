"""The plane through three models: its frame, a grid on it, and the weights of any point of it.

With u = theta_b - theta_a and v the part of w = theta_c - theta_a that is orthogonal to u, the
point (x, y) of the plane is theta_a + x u/|u| + y v/|v| (Garipov et al. 2018; Benton et al. 2021).
So coordinates are distances of weights, and all that is needed of the models are the inner
products of u and w.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Shares = tuple[float, float, float]
"""How much of each of the three models' weights a point is made of; they add up to 1."""

# Height of the triangle over its longest side, or length of a side, by the longest side, below
# which three models span no plane. Weights in float32 tell some 1e-6 of that length apart.
_FLAT = 1e-4
_SAME = 1e-6


class DegeneratePlaneError(ValueError):
    """Three models span no plane: two of them (``same``, as indices) are one, or they lie on one
    line (``same`` is None)."""

    def __init__(self, same: tuple[int, int] | None) -> None:
        super().__init__("two models are the same" if same else "the models lie on one line")
        self.same = same

    def __reduce__(self) -> tuple[type[DegeneratePlaneError], tuple[tuple[int, int] | None]]:
        return type(self), (self.same,)


@dataclass(frozen=True)
class PlaneFrame:
    """Where the three models are: A at (0, 0), B at (``x_b``, 0), C at (``x_c``, ``y_c``).

    ``x_b`` and ``y_c`` are positive. All are Euclidean distances of weights.
    """

    x_b: float
    x_c: float
    y_c: float

    @classmethod
    def spanned(cls, uu: float, uw: float, ww: float) -> PlaneFrame:
        """The frame by Gram-Schmidt from <u, u>, <u, w> and <w, w>.

        Raises:
            DegeneratePlaneError: there is no plane.
        """
        squares = {(0, 1): uu, (0, 2): ww, (1, 2): max(uu - 2 * uw + ww, 0.0)}
        longest = math.sqrt(max(squares.values()))
        for pair, square in squares.items():
            if math.sqrt(square) <= _SAME * longest:
                raise DegeneratePlaneError(pair)
        x_b = math.sqrt(uu)
        x_c = uw / x_b
        y_c = math.sqrt(max(ww - x_c * x_c, 0.0))
        if x_b * y_c <= _FLAT * longest * longest:
            raise DegeneratePlaneError(None)
        return cls(x_b, x_c, y_c)

    @property
    def positions(self) -> tuple[tuple[float, float], ...]:
        """Coordinates of A, B and C."""
        return (0.0, 0.0), (self.x_b, 0.0), (self.x_c, self.y_c)

    @property
    def distances(self) -> tuple[float, float, float]:
        """Distances of A and B, A and C, B and C."""
        a, b, c = self.positions
        return math.dist(a, b), math.dist(a, c), math.dist(b, c)

    @property
    def area(self) -> float:
        """Area of the triangle of the three models."""
        return self.x_b * self.y_c / 2

    def shares(self, x: float, y: float) -> Shares:
        """Barycentric coordinates of (x, y): the point is a theta_a + b theta_b + c theta_c."""
        c = y / self.y_c
        b = (x - c * self.x_c) / self.x_b
        return 1 - b - c, b, c

    def coordinates(self, shares: Shares) -> tuple[float, float]:
        """(x, y) of a point from its barycentric coordinates."""
        _, b, c = shares
        return b * self.x_b + c * self.x_c, c * self.y_c


@dataclass(frozen=True)
class PlaneGrid:
    """Coordinates of the columns and of the rows of a grid, increasing."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]


def plane_grid(frame: PlaneFrame, points: int, margin: float) -> PlaneGrid:
    """``points`` by ``points`` equally spaced points about the three models.

    Beyond the models the grid goes on for ``margin`` times the longer side of the box that they
    fill, by the same distance on every side.

    Raises:
        ValueError: fewer than 2 points a side, or a negative margin.
    """
    if points < 2 or not margin >= 0:
        raise ValueError(f"no grid has {points} points a side and a margin of {margin}")
    left, right = min(0.0, frame.x_c), max(frame.x_b, frame.x_c)
    reach = margin * max(right - left, frame.y_c)
    return PlaneGrid(
        _spaced(left - reach, right + reach, points), _spaced(-reach, frame.y_c + reach, points)
    )


def _spaced(low: float, high: float, points: int) -> tuple[float, ...]:
    last = points - 1
    return tuple((low * (last - k) + high * k) / last for k in range(points))
