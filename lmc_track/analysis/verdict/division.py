"""Dividing models by their gaps: average linkage and block model, and the score of a division.

Knows one matrix of gaps at a time. Measured gaps and gaps drawn from a null go through this same
code, which is what makes comparing them fair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from lmc_track.analysis.clustering import Floats, Labels

FEWEST_MODELS = 4
MOST_CLUSTERS = 6

# A cluster of few models can be tight by accident, and in heavy-tailed clouds two or three models
# far out often are. Taking this over the size of the smallest cluster from the score makes its
# distribution nearly the same for normal and for heavy-tailed clouds (docs/results/verdict.md).
_SMALLNESS = 0.25
_ROUNDING = 1e-9
# Gaps of the error are often exactly 0; a block's mean is taken to be more by this share of all.
_FLOOR = 0.1
_ROUNDS = 8


@dataclass(frozen=True)
class Divisions:
    """One division for each of b matrices of gaps between n models.

    ``labels`` (b, n) count from 0 to ``k`` (b,) − 1, and every cluster has two models or more.
    ``k`` is 1, and ``score`` −∞, where nothing was found. ``score`` (b,) is that of the gaps that
    the division was made on.
    """

    labels: Labels
    k: Labels
    score: Floats


def best_divisions(gaps: Floats) -> Divisions:
    """Of the ``divisions`` of each of ``gaps`` (b, n, n) the one with the greatest ``scores``."""
    b, n, _ = gaps.shape
    best = Divisions(np.zeros((b, n), np.int64), np.ones(b, np.int64), np.full(b, -np.inf))
    for k, found in sorted(_joined(gaps, _found(gaps)).items()):
        values = _scores(found.sums, found.labels)
        better = values > best.score[found.at] + _ROUNDING
        at = found.at[better]
        best.labels[at] = found.labels[better]
        best.k[at] = k
        best.score[at] = values[better]
    return best


@dataclass(frozen=True)
class _Found:
    """Divisions into equally many clusters, ``labels`` (m, n), of the matrices of gaps ``at`` (m,).

    ``sums`` (m, n, k): of the gaps from each model to each cluster.
    """

    at: Labels
    labels: Labels
    sums: Floats


def _found(gaps: Floats) -> dict[int, tuple[Labels, Labels]]:
    """The ``divisions`` of each of ``gaps`` (b, n, n) by k: which have one, and their labels."""
    by_k: dict[int, tuple[list[int], list[Labels]]] = {}
    for place, matrix in enumerate(gaps):
        for k, labels in divisions(matrix).items():
            places, found = by_k.setdefault(k, ([], []))
            places.append(place)
            found.append(labels)
    return {k: (np.array(places), np.array(found)) for k, (places, found) in by_k.items()}


def divisions(gaps: Floats) -> dict[int, Labels]:
    """Labels of n models with ``gaps`` (n, n), for each number of clusters that there is.

    Average linkage (Sokal and Michener 1958) is cut from the top; for each number, from 2 to
    ``MOST_CLUSTERS``, of clusters of two models or more the highest cut counts. Models that are
    still single there are labelled −1. A cut that leaves more than a fifth of the models single
    ends the search.
    """
    n = len(gaps)
    if n < FEWEST_MODELS:
        return {}
    tree = linkage(squareform(gaps, checks=False), "average")
    merges = tree[:, :2].astype(int).tolist()
    members = [[model] for model in range(n)]
    for left, right in merges:
        members.append(members[left] + members[right])
    clusters = {2 * n - 2}
    found: dict[int, Labels] = {}
    for step in range(n - 2, -1, -1):
        clusters.remove(n + step)
        clusters.update(merges[step])
        several = [members[cluster] for cluster in clusters if cluster >= n]
        k, n_single = len(several), len(clusters) - len(several)
        if k > MOST_CLUSTERS or n_single > max(2, n // 5):
            break
        if k >= 2 and k not in found:
            found[k] = np.full(n, -1, dtype=np.int64)
            for number, models in enumerate(several):
                found[k][models] = number
    return found


def joined_divisions(gaps: Floats) -> dict[int, Labels]:
    """The ``divisions`` of ``gaps`` (n, n), with every model where a block model puts it."""
    found = _joined(gaps[None], _found(gaps[None]))
    return {k: one.labels[0] for k, one in found.items()}


def divided(gaps: Floats, k: int) -> Labels:
    """Labels (n,) of ``gaps`` (n, n) into ``k`` clusters, or into the number nearest to it."""
    found = joined_divisions(gaps) if gaps.any() else {}
    if not found:
        return np.zeros(len(gaps), dtype=np.int64)
    return found[min(found, key=lambda number: (abs(number - k), number))]


def _joined(gaps: Floats, found: dict[int, tuple[Labels, Labels]]) -> dict[int, _Found]:
    """What was ``found`` with every model where a block model of ``gaps`` (b, n, n) puts it.

    Single models, −1, first join the cluster that has the least mean gap. Then each model goes
    where its gaps to all clusters together are likeliest, in rounds: gaps are taken as exponential
    about the means of their blocks. A model of a loose cluster is as far from the others as its
    own are, and is known by that, however it scatters within. A round that would leave a cluster
    fewer than two models ends it.
    """
    n = gaps.shape[1]
    floor = _FLOOR * gaps.sum((1, 2))[:, None, None] / (n * (n - 1))
    result = {}
    for k, sums in _sums(gaps, found).items():
        at, labels = found[k]
        sizes = (labels[..., None] == np.arange(k)).sum(1)
        nearest = (sums / sizes[:, None, :]).argmin(-1)
        result[k] = np.where(labels < 0, nearest, labels)
    active = {k: np.arange(len(at)) for k, (at, _) in found.items()}
    for _ in range(_ROUNDS):
        asked = {k: (found[k][0][which], result[k][which]) for k, which in active.items()}
        for k, sums in _sums(gaps, asked).items():
            at, labels = asked[k]
            moved = _likeliest(sums, labels, k, floor[at])
            several = ((moved[..., None] == np.arange(k)).sum(1) > 1).all(-1)
            changed = several & (moved != labels).any(-1)
            active[k] = active[k][changed]
            result[k][active[k]] = moved[changed]
        active = {k: which for k, which in active.items() if len(which)}
        if not active:
            break
    joined = {k: (at, result[k]) for k, (at, _) in found.items()}
    return {k: _Found(*joined[k], sums) for k, sums in _sums(gaps, joined).items()}


def _sums(gaps: Floats, found: dict[int, tuple[Labels, Labels]]) -> dict[int, Floats]:
    """Of the gaps of each model to each cluster (m, n, k): one product for every k at once.

    Models that are labelled −1 are in no cluster.
    """
    b, n, _ = gaps.shape
    member = np.zeros((b, n, sum(found)))
    firsts = dict(zip(found, np.cumsum([0, *found]).tolist(), strict=False))
    for k, (at, labels) in found.items():
        row, model = np.nonzero(labels >= 0)
        member[at[row], model, firsts[k] + labels[row, model]] = 1
    product = gaps @ member
    return {k: product[at, :, firsts[k] : firsts[k] + k] for k, (at, _) in found.items()}


def _likeliest(sums: Floats, labels: Labels, k: int, floor: Floats) -> Labels:
    """The cluster (m, n) in which each model's gaps are likeliest, the others staying."""
    member = np.eye(k)[labels]
    sizes = member.sum(1)
    of_blocks = np.swapaxes(member, -1, -2) @ sums
    pairs = sizes[:, :, None] * sizes[:, None, :] - np.eye(k) * sizes[:, :, None]
    mean = of_blocks / pairs + floor
    others = sizes[:, None, :] - member
    costs = (sums + floor * others) @ np.swapaxes(1 / mean, -1, -2)
    likeliest: Labels = (costs + others @ np.swapaxes(np.log(mean), -1, -2)).argmin(-1)
    return likeliest


def scores(gaps: Floats, labels: Labels) -> Floats:
    """Mean silhouette less ``_SMALLNESS`` over the size of the smallest cluster: (b,).

    ``gaps``: (b, n, n). ``labels``: (b, n), of equally many clusters, none of them empty.
    """
    return _scores(gaps @ np.eye(int(labels.max()) + 1)[labels], labels)


def _scores(sums: Floats, labels: Labels) -> Floats:
    sizes = np.eye(sums.shape[-1])[labels].sum(1)
    values: Floats = _silhouettes(sums, labels).mean(1) - _SMALLNESS / sizes.min(1)
    return values


def silhouettes(gaps: Floats, labels: Labels) -> Floats:
    """Silhouette (b, n) of every model over ``gaps`` (b, n, n) (Rousseeuw 1987).

    (b − a) / max(a, b), with a the mean gap to the model's own cluster and b that to the nearest
    other one. scikit-learn has the same for one matrix at a time; thousands of drawn matrices go
    through here. A model whose gaps are all 0 counts 0.
    """
    return _silhouettes(gaps @ np.eye(int(labels.max()) + 1)[labels], labels)


def _silhouettes(sums: Floats, labels: Labels) -> Floats:
    member = np.eye(sums.shape[-1])[labels]
    sizes = member.sum(1)[:, None, :]
    own = member > 0
    size = np.broadcast_to(sizes, sums.shape)[own].reshape(labels.shape)
    inner = sums[own].reshape(labels.shape) / np.maximum(size - 1, 1)
    outer = np.where(own, np.inf, sums / sizes).min(-1)
    larger = np.maximum(inner, outer)
    values = np.zeros(labels.shape)
    np.divide(outer - inner, larger, out=values, where=(larger > 0) & (size > 1))
    return values


def models_apart(gaps: Floats) -> list[int]:
    """Single models far from all others, by their place, in the order of ``gaps`` (n, n).

    A model apart is farther from its nearest neighbour than the others, by their median, are from
    their farthest, and its nearest neighbour is no more than twice as near as its median one: else
    the two may be of a small cluster. The longest such run of models by falling gap to the nearest
    neighbour counts. At most a sixth of the models are set apart, and four or more stay.
    """
    n = len(gaps)
    nearest = np.where(np.eye(n, dtype=bool), np.inf, gaps).min(1)
    by_distance = np.argsort(-nearest, kind="stable")
    for count in range(min(max(n // 6, 1), n - FEWEST_MODELS), 0, -1):
        candidates, others = by_distance[:count], by_distance[count:]
        farthest = np.median(gaps[np.ix_(others, others)].max(1))
        typical = np.median(gaps[np.ix_(candidates, others)], axis=1)
        if np.all(nearest[candidates] > np.maximum(farthest, typical / 2) + _ROUNDING):
            return sorted(int(model) for model in candidates)
    return []
