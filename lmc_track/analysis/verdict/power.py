"""How many models it takes to find a minority: the rule of ``find_clusters`` on simulated gaps.

Which strategy a model takes is as much chance as the gaps are: models are of the minority by a
coin, and a study that drew fewer than two of them cannot find it. Knows neither studies nor hours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import squareform
from scipy.stats import binom, binomtest

from lmc_track.analysis.clustering import Floats
from lmc_track.analysis.stability import adjusted_rand
from lmc_track.analysis.verdict import find_clusters
from lmc_track.analysis.verdict.division import FEWEST_MODELS
from lmc_track.analysis.verdict.minority import PUBLISHED, Minority

Random = np.random.Generator

FOUND = 0.9
"""The adjusted Rand index from which on clusters that were found count as those that are there."""
TARGET = 0.8
"""The power that a study is commonly planned for."""
SIZES = (6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 100, 128, 160, 200)
"""Numbers of models among which ``needed`` looks."""

_FEWEST_OF_A_CLUSTER = 2


@dataclass(frozen=True)
class Power:
    """In ``found`` of ``drawn`` simulated studies of ``n_models`` models the minority was found.

    ``two``: the probability that two models of the minority or more are there at all.
    """

    n_models: int
    two: float
    found: int
    drawn: int

    @property
    def power(self) -> float:
        return self.found / self.drawn

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of ``power`` (Clopper and Pearson 1934)."""
        interval = binomtest(self.found, self.drawn).proportion_ci(0.95, method="exact")
        return float(interval.low), float(interval.high)


def power(
    n_models: int,
    minority: Minority = PUBLISHED,
    *,
    draws: int = 100,
    seed: int = 0,
    each: Callable[[], None] = lambda: None,
) -> Power:
    """The share of simulated studies in which the rule finds the two kinds of ``minority``.

    Found are clusters with an adjusted Rand index of ``FOUND`` or more to the kinds. ``each`` is
    called after every draw.

    Raises:
        ValueError: fewer than four models, or no draws.
    """
    _check(n_models, draws)
    found = 0
    for draw in range(draws):
        found += finds(n_models, minority, seed, draw)
        each()
    return Power(n_models, two_there(n_models, minority.share), found, draws)


def needed(
    minority: Minority = PUBLISHED,
    *,
    target: float = TARGET,
    sizes: Sequence[int] = SIZES,
    draws: int = 40,
    seed: int = 0,
    each: Callable[[], None] = lambda: None,
) -> int | None:
    """The smallest of ``sizes``, in rising order, whose power is ``target``; None where none is.

    Found by bisection with few draws for each size, so this is a number to plan with, within a
    step of ``sizes`` or so. ``each`` is called after every draw; drawing ends where the rest
    cannot change the answer.
    """
    possible = [n for n in sizes if two_there(n, minority.share) >= target]
    for n in possible[:1]:
        _check(n, draws)
    low, high = 0, len(possible)
    while low < high:
        middle = (low + high) // 2
        if _reaches(target, possible[middle], minority, draws, seed, each):
            high = middle
        else:
            low = middle + 1
    return possible[low] if low < len(possible) else None


def two_there(n_models: int, share: float) -> float:
    """The probability that of ``n_models`` two or more are of a minority of ``share``."""
    return float(binom.sf(_FEWEST_OF_A_CLUSTER - 1, n_models, share))


def _reaches(
    target: float,
    n_models: int,
    minority: Minority,
    draws: int,
    seed: int,
    each: Callable[[], None],
) -> bool:
    enough = int(np.ceil(target * draws))
    found = 0
    for draw in range(draws):
        found += finds(n_models, minority, seed, draw)
        each()
        if found >= enough or draw + 1 - found > draws - enough:
            break
    return found >= enough


def _check(n_models: int, draws: int) -> None:
    if n_models < FEWEST_MODELS:
        raise ValueError(f"{n_models} models cannot be divided: plan {FEWEST_MODELS} or more")
    if draws < 1:
        raise ValueError(f"{draws} draws say nothing: ask for one or more")


def finds(n_models: int, minority: Minority, seed: int, draw: int) -> bool:
    """Whether one simulated study of ``n_models`` finds what is there.

    Every ``draw`` has random numbers of its own, so draws can be made in any order.
    """
    random = np.random.default_rng([seed, n_models, draw])
    few = int(random.binomial(n_models, minority.share))
    sizes = (n_models - few, few)
    if min(sizes) < _FEWEST_OF_A_CLUSTER:
        return False
    gaps, group = groups(random, sizes, minority.within, minority.between, minority.scatter)
    verdict = find_clusters(*halves(random, gaps, minority.agreement), seed=draw, brief=True)
    if verdict.n_clusters < 2:
        return False
    return float(adjusted_rand(group[None], (verdict.labels + 1)[None])[0]) >= FOUND


def scattered(random: Random, gaps: Floats, share: float) -> Floats:
    """``gaps`` times log-normal factors of mean 1 and standard deviation ``share``."""
    variance = np.log1p(share**2)
    return gaps * np.exp(random.normal(-variance / 2, variance**0.5, gaps.shape))


def groups(
    random: Random, sizes: Sequence[int], within: Sequence[float], between: float, scatter: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Gaps (n, n) of groups of ``sizes`` and the group of each model (n,), in a random order."""
    group = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    first, second = np.triu_indices(len(group), 1)
    own = np.asarray(within)[group]
    gaps = np.where(group[first] == group[second], own[first], between)
    return squareform(scattered(random, gaps, scatter)), group


def halves(random: Random, gaps: Floats, agreement: float) -> tuple[Floats, Floats]:
    """``gaps`` (n, n) as two halves of the examples show them, ``agreement`` apart."""
    listed = squareform(gaps, checks=False)
    discovery, held_out = (
        squareform(scattered(random, listed, agreement / 2**0.5)) for _ in range(2)
    )
    return discovery, held_out
