"""Whether models form groups: one p against each way of being one cluster.

A division made on discovery gaps is scored on held-out ones. Gaps drawn from a null are divided
and scored in the same way, the choice of the number of clusters included. Clusters exist where
every null is refuted, so the greatest p is the one that counts (an intersection–union test, whose
size needs no correction: Berger 1982).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import squareform

from lmc_track.analysis.clustering import Floats, Labels
from lmc_track.analysis.verdict.division import best_divisions, scores
from lmc_track.analysis.verdict.nulls import CLOUDS, EVEN, HEAVY, NOISE, Null, null_models, tails

SIGNIFICANCE = 0.05
DRAWS = 199

# A p is left at this many draws that reach what was measured: it is above the level then.
_ENOUGH = 10
_DEALS = 999
_ROUNDING = 1e-9
_AT_ONCE = 40

# A cloud is fitted to the gaps that it is to explain. In simulation, clouds of one dimension were
# then refuted at .05 in up to a seventh of the draws (docs/results/verdict.md), so the p of a
# normal or heavy-tailed one is doubled. Of an even one it would cost groups of twelve models and
# fewer half of their power, and models along a line may be divided in a fifth of the studies.
_FITTED = {**dict.fromkeys(CLOUDS, 2.0), EVEN: 1.0}

# Far models make the divisions of a heavy-tailed cloud clear, the more so the more models there
# are: by the score alone two groups of fifty are no clearer. But such groups have no tails at all,
# as two models far from fourteen are tails that no even cloud has. So these two clouds may be
# refuted by tails lighter (1) or heavier (-1) than theirs too. The score and the tails have these
# parts of the level; together they are more than the whole where the limit is a fifth.
_TAILS = {HEAVY: 1, EVEN: -1}
_OF_SCORE = {HEAVY: 0.8, EVEN: 1.0}
_OF_TAILS = 0.2


@dataclass(frozen=True)
class Existence:
    """``p_values`` by null, each (1 + reached) / (1 + drawn), or reached / drawn where drawing
    ended early (Besag and Clifford 1991); twice that of a normal or a heavy-tailed cloud. Of a
    heavy-tailed and of an even one it is the smaller of two, by the score and by the tails, each
    divided by its part of the level. ``noise`` among them is known only with two halves."""

    p_values: dict[str, float]

    @property
    def p_value(self) -> float:
        return max(self.p_values.values())

    def greatest(self, nulls: Sequence[str]) -> float | None:
        """The greatest p against any of ``nulls``; None where none was tried."""
        return max((self.p_values[name] for name in nulls if name in self.p_values), default=None)

    @property
    def shown(self) -> bool:
        return self.p_value <= SIGNIFICANCE


def existence(
    discovery: Floats, held_out: Floats | None, labels: Labels, seed: int, *, brief: bool = False
) -> Existence:
    """Test ``labels`` (n,), found on ``discovery`` gaps (n, n), on ``held_out`` ones.

    Without ``held_out`` the same gaps make and judge it, in what was measured and in what is
    drawn. ``brief`` ends at the first null that is not refuted.
    """
    judged = discovery if held_out is None else held_out
    observed = float(scores(judged[None], labels[None])[0])
    p_values: dict[str, float] = {}

    def decided() -> bool:
        return brief and max(p_values.values(), default=0.0) > SIGNIFICANCE

    for number, null in enumerate(null_models(discovery, held_out)):
        if decided():
            break
        random = np.random.default_rng([seed, 1 + number])
        p = _drawn_p(null, observed, random)
        p *= _FITTED.get(null.name, 1.0)
        if null.name in _TAILS:
            p /= _OF_SCORE[null.name]
            if p > SIGNIFICANCE:
                p = min(p, _tails_p(null, discovery, random, _TAILS[null.name]) / _OF_TAILS)
        p_values[null.name] = min(p, 1.0)
    if held_out is not None and not decided():
        noise = _noise_p(held_out, labels, np.random.default_rng([seed, 0]))
        p_values = {NOISE: noise, **p_values}
    return Existence(p_values)


def _drawn_p(null: Null, observed: float, random: np.random.Generator) -> float:
    reached = drawn = 0
    while drawn < DRAWS:
        discovery, held_out = null.draw(random, min(_AT_ONCE, DRAWS - drawn))
        # Drawn in one go, scored in parts: the last ones are often not needed any more.
        for first in range(0, len(discovery), 2 * _ENOUGH):
            part = slice(first, first + 2 * _ENOUGH)
            for value in _held_out_scores(discovery[part], held_out[part]):
                drawn += 1
                reached += int(value >= observed - _ROUNDING)
                if reached == _ENOUGH:
                    return reached / drawn
    return (1 + reached) / (1 + DRAWS)


def _tails_p(null: Null, discovery: Floats, random: np.random.Generator, side: int) -> float:
    """p of gaps (n, n) having tails as light as they have (``side`` 1) or as heavy (-1)."""
    observed = side * float(tails(discovery[None])[0])
    drawn = np.concatenate(
        [side * tails(null.draw(random, count)[0]) for count in _portions(DRAWS, _AT_ONCE)]
    )
    return float((1 + np.sum(drawn <= observed + _ROUNDING)) / (1 + DRAWS))


def _portions(total: int, most: int) -> list[int]:
    return [min(most, total - first) for first in range(0, total, most)]


def _held_out_scores(discovery: Floats, held_out: Floats) -> Floats:
    """Scores (b,) on ``held_out`` gaps (b, n, n) of what is found on ``discovery`` ones."""
    found = best_divisions(discovery)
    values = np.full(len(discovery), -np.inf)
    for k in np.unique(found.k[found.k > 1]):
        at = np.flatnonzero(found.k == k)
        values[at] = scores(held_out[at], found.labels[at])
    return values


def _noise_p(held_out: Floats, labels: Labels, random: np.random.Generator) -> float:
    """p of the held-out gaps between clusters being larger than those within by accident.

    Were all paths alike and gaps noise of the examples, held-out gaps would have nothing to do with
    a division made on others: dealt anew over pairs, they would part as well.
    """
    gaps = squareform(held_out, checks=False)
    same = squareform(labels[:, None] == labels, checks=False)
    within = gaps[same].sum()
    dealt = random.permuted(np.tile(gaps, (_DEALS, 1)), axis=1)[:, : int(same.sum())].sum(1)
    return float((1 + np.sum(dealt <= within + _ROUNDING)) / (1 + _DEALS))
