"""Ways of being one cluster, each fitted to measured gaps, from which gaps can be drawn.

- *exchangeable*: gaps belong to no structure among the models.
- *cloud*: models are points of one region, normal, heavy-tailed or even (a box or a ring), and
  gaps grow with distance (in the spirit of SigClust, Liu et al. 2008, and of McShane et al. 2002).
- *effects of single models*: every gap is the sum, the product or the worse of two models' own
  values, as when one bad model spoils all its paths.

A draw is a pair of gap matrices, discovery and held-out, that agree as the measured ones do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform

from lmc_track.analysis.clustering import Floats

NOISE, EXCHANGEABLE = "noise", "exchangeable"
HEAVY, EVEN = "heavy-tailed cloud", "even cloud"
CLOUDS = ("normal cloud", HEAVY, EVEN)
EFFECTS = ("sum of effects", "product of effects", "worse of two")

# Scatter is taken relative to a gap plus this share of the mean gap: gaps of the error are often
# exactly 0, and a gap near 0 is not known to a share of itself.
_FLOOR = 0.1
_TAIL = 3  # degrees of freedom of the heavy-tailed cloud
_TAIL_SPREAD = (_TAIL / (_TAIL - 2)) ** 0.5
_ROUNDS = 30

# An even cloud lies evenly in a box, or, where its second dimension is at least so much of its
# first, on the surface of an ellipsoid: a ring is cut more easily than what fills it.
_ROUND = 2 / 3

Random = np.random.Generator
Draw = Callable[[Random, int], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Null:
    """``draw(random, b)`` gives b pairs of gap matrices (b, n, n), discovery and held-out."""

    name: str
    draw: Draw


class _Halves:
    """Measured gaps (p,) by pair, and how held-out ones differ from discovery ones."""

    def __init__(self, discovery: Floats, held_out: Floats | None) -> None:
        n = len(discovery)
        self.gaps = squareform(discovery, checks=False)
        self.held_out = self.gaps if held_out is None else squareform(held_out, checks=False)
        self.floor = _FLOOR * float(self.gaps.mean())
        self._between = (self.held_out - self.gaps) / ((self.held_out + self.gaps) / 2 + self.floor)
        self._place = squareform(np.arange(1, len(self.gaps) + 1), checks=False).reshape(n, n)

    def square(self, gaps: Floats) -> Floats:
        """Matrices (b, n, n) of ``gaps`` (b, p)."""
        matrices: Floats = np.pad(gaps, ((0, 0), (1, 0)))[:, self._place]
        return matrices

    def around(self, expected: Floats) -> Callable[[Floats, Random], tuple[Floats, Floats]]:
        """Draws that scatter about gaps (b, p) as the measured ones about ``expected`` (p,)."""
        scatter = (self.gaps - expected) / (expected + self.floor)

        def drawn(about: Floats, random: Random) -> tuple[Floats, Floats]:
            gaps = self._spread(about, scatter, random)
            return self.square(gaps), self.square(self._spread(gaps, self._between, random))

        return drawn

    def _spread(self, gaps: Floats, relative: Floats, random: Random) -> Floats:
        dealt = random.permuted(np.broadcast_to(relative, gaps.shape), axis=1)
        spread: Floats = np.maximum(gaps + dealt * (gaps + self.floor), 0)
        return spread


def null_models(discovery: Floats, held_out: Floats | None) -> list[Null]:
    """Every way of being one cluster, fitted to gaps (n, n), the hardest to refute first."""
    halves = _Halves(discovery, held_out)
    normal, heavy, even = _clouds(halves, discovery)
    fits = (_sums(discovery), _products(discovery, halves.floor), _worse(discovery))
    return [
        normal,
        heavy,
        *(Null(name, _fixed(halves, gaps)) for name, gaps in zip(EFFECTS, fits, strict=True)),
        Null(EXCHANGEABLE, _exchangeable(halves)),
        even,
    ]


def _exchangeable(halves: _Halves) -> Draw:
    """A pair's two gaps stay together: they are alike because they are of one path."""

    def draw(random: Random, count: int) -> tuple[Floats, Floats]:
        orders = random.permuted(np.tile(np.arange(len(halves.gaps)), (count, 1)), axis=1)
        return halves.square(halves.gaps[orders]), halves.square(halves.held_out[orders])

    return draw


def _fixed(halves: _Halves, expected: Floats) -> Draw:
    scattered = halves.around(expected)
    return lambda random, count: scattered(np.tile(expected, (count, 1)), random)


def _clouds(halves: _Halves, gaps: Floats) -> list[Null]:
    """Clouds with the principal variances of the gaps, taken as squared distances.

    Classical scaling (Torgerson 1952) gives eigenvalues; those of gaps without dimensions are
    spread evenly about half the constant part of all gaps. What stands above, by more than the
    least stands below, are dimensions.
    """
    n = len(gaps)
    centred = gaps - gaps.mean(0) - gaps.mean(1)[:, None] + gaps.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    constant_vector = int(np.abs(vectors.sum(0)).argmax())
    values, vectors = np.delete(values, constant_vector), np.delete(vectors, constant_vector, 1)
    is_dimension = values > 2 * np.median(values) - values.min()
    constant = max(2 * float(values[~is_dimension].mean()), 0.0)
    along = np.maximum(values[is_dimension] - constant / 2, 0)
    spread = np.sqrt(along / (n - 1))
    is_round = len(spread) > 1 and bool(spread[-2] >= _ROUND * spread[-1])
    scattered = halves.around(constant + _squared(vectors[:, is_dimension] * np.sqrt(along)))

    def draw(places: Floats, random: Random) -> tuple[Floats, Floats]:
        return scattered(
            constant + np.array([_squared(cloud) for cloud in places * spread]), random
        )

    def normal(random: Random, count: int) -> tuple[Floats, Floats]:
        return draw(random.standard_normal((count, n, len(spread))), random)

    def heavy(random: Random, count: int) -> tuple[Floats, Floats]:
        return draw(random.standard_t(_TAIL, (count, n, len(spread))) / _TAIL_SPREAD, random)

    def even(random: Random, count: int) -> tuple[Floats, Floats]:
        shape = (count, n, len(spread))
        if not is_round:
            return draw(random.uniform(-(3**0.5), 3**0.5, shape), random)
        places = random.standard_normal(shape)
        return draw(places / np.sqrt(np.square(places).mean(-1, keepdims=True)), random)

    return [Null(name, drawn) for name, drawn in zip(CLOUDS, (normal, heavy, even), strict=True)]


def tails(gaps: Floats) -> Floats:
    """Kurtosis (b,) of the models' places along the main direction of ``gaps`` (b, n, n).

    3 for a normal cloud, more where some models are far out, 1 for two groups of equal size.
    """
    rows = gaps.mean(-1, keepdims=True)
    centred = gaps - rows - rows.swapaxes(-1, -2) + rows.mean(-2, keepdims=True)
    _, vectors = np.linalg.eigh(-centred)
    kurtosis: Floats = gaps.shape[-1] * (vectors[..., -1] ** 4).sum(-1)
    return kurtosis


def _squared(places: Floats) -> Floats:
    """Squared distances by pair of ``places`` (n, dimensions), of which there may be none."""
    if places.shape[1] == 0:
        n = len(places)
        return np.zeros(n * (n - 1) // 2)
    distances: Floats = pdist(places, "sqeuclidean")
    return distances


def _sums(gaps: Floats) -> Floats:
    """The least-squares fit of gaps by a sum of two models' values, at least 0, by pair."""
    values = _additive(gaps)
    first, second = np.triu_indices(len(gaps), 1)
    fitted: Floats = np.maximum(values[first] + values[second], 0)
    return fitted


def _products(gaps: Floats, floor: float) -> Floats:
    """As ``_sums`` on a logarithmic scale, by pair."""
    logarithms = np.log(gaps + floor)
    np.fill_diagonal(logarithms, 0)
    values = _additive(logarithms)
    first, second = np.triu_indices(len(gaps), 1)
    fitted: Floats = np.maximum(np.exp(values[first] + values[second]) - floor, 0)
    return fitted


def _additive(matrix: Floats) -> Floats:
    """Values (n,) whose sums are nearest the entries off the diagonal of ``matrix`` (n, n)."""
    n, sums = len(matrix), matrix.sum(1)
    values: Floats = (sums - sums.sum() / (2 * (n - 1))) / (n - 2)
    return values


def _worse(gaps: Floats) -> Floats:
    """A fit of gaps by the larger of two models' values, by pair.

    In rounds, each model's value moves half-way to the mean gap to models that are no worse.
    """
    n = len(gaps)
    off = ~np.eye(n, dtype=bool)
    others = np.where(off, gaps, np.nan)
    values, least = np.nanmedian(others, axis=1), float(np.nanmin(others))
    for _ in range(_ROUNDS):
        decides = (values[:, None] >= values[None, :]) & off
        count = decides.sum(1)
        mean = np.where(decides, gaps, 0).sum(1) / np.maximum(count, 1)
        values = (values + np.where(count > 0, mean, least)) / 2
    first, second = np.triu_indices(n, 1)
    fitted: Floats = np.maximum(values[first], values[second])
    return fitted
