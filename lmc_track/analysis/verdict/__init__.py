"""Do models fall into clusters: the verdict on matrices of gaps.

Existence and strength are two questions, answered apart; docs/clustering.md is the method and
docs/results/verdict.md says how often it is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from lmc_track.analysis.clustering import APART, Floats, Labels, checked_gaps, number_clusters
from lmc_track.analysis.verdict import sentence
from lmc_track.analysis.verdict.division import (
    FEWEST_MODELS,
    best_divisions,
    joined_divisions,
    models_apart,
    scores,
    silhouettes,
)
from lmc_track.analysis.verdict.existence import Existence, existence
from lmc_track.analysis.verdict.nulls import CLOUDS, EFFECTS
from lmc_track.analysis.verdict.strength import Strength, strength


@dataclass(frozen=True)
class Verdict:
    """Clusters of n models.

    ``labels``: (n,) in the order of the gaps. Clusters are numbered from 0 by falling size, ties
    by the place of their first model; a single model that was set apart has ``APART``, −1, and
    counts in no cluster. ``decision``: what was found, in words. ``statistics``: what this rests
    on, of the best division whether it counts or not; a value that is not defined is None.
    """

    n_clusters: int
    labels: Labels
    decision: str
    statistics: dict[str, Any]


def find_clusters(
    discovery: ArrayLike,
    held_out: ArrayLike | None = None,
    *,
    headroom: float | None = None,
    seed: int = 0,
    unit: str = "nats",
    brief: bool = False,
) -> Verdict:
    """Whether models fall into groups by their gaps, which, and how far apart they are.

    ``discovery``, ``held_out``: (n, n) gaps between the same models on two halves of the examples,
    symmetric, 0 on the diagonal. The division comes from discovery gaps and is judged on held-out
    ones; without these the same gaps do both, which is weaker, and the decision says so.
    ``headroom``: from the valley of the paths to chance, in nats, used for the share of the
    strength alone. ``seed`` is that of the draws. ``unit`` is only named in the decision.
    ``brief`` ends at the first form of one cluster that is not refuted: the same clusters sooner,
    without the other p.

    Single models far from all others are set apart first. The others are divided by average
    linkage, and the division counts where exchangeable gaps, noise of measurement, one cloud and
    effects of single models are each refuted at .05. Fewer than four models, and gaps that are
    all alike, cannot be divided; the decision says so.

    Raises:
        ValueError: an argument is not a matrix of gaps, a pair has no gap, or the two differ in
            size; the message says what is wrong.
    """
    halves = [checked_gaps(discovery, "discovery")]
    if held_out is not None:
        halves.append(checked_gaps(held_out, "held_out"))
        if halves[0].shape != halves[1].shape:
            raise ValueError(
                f"discovery and held_out gaps are of {len(halves[0])} and {len(halves[1])} models; "
                "give the gaps of the same models, in the same order"
            )
    if headroom is not None and not np.isfinite(headroom):
        raise ValueError(f"headroom must be a number of nats, or None, not {headroom}")
    n = len(halves[0])
    statistics: dict[str, Any] = {
        "n_models": n,
        "n_clusters": 1,
        "halves": len(halves),
        "headroom": headroom,
        "apart": [],
        "choices": [],
        **dict.fromkeys(_UNDEFINED),
    }
    whole = np.zeros(n, dtype=np.int64)
    if reason := _undividable(halves):
        return Verdict(1, whole, reason, statistics)
    # The draws are the same in whatever order the models come.
    order = np.lexsort(tuple(gaps.sum(1) for gaps in reversed(halves)))
    with threadpool_limits(1):
        ordered = [gaps[np.ix_(order, order)] for gaps in halves]
        return _judge(ordered, order, statistics, seed, unit, brief)


_UNDEFINED = (
    "k", "sizes", "best_division", "silhouette", "p_value", "p_noise", "p_exchangeable", "p_cloud",
    "p_effects", "p_values", "mean_gap_within", "mean_gap_between", "ratio", "share", "separation",
)  # fmt: skip


def _judge(
    halves: list[Floats],
    order: Labels,
    statistics: dict[str, Any],
    seed: int,
    unit: str,
    brief: bool,
) -> Verdict:
    n = len(order)
    # Both halves together: what is set apart is not judged, and single gaps are noisy.
    set_apart = models_apart(np.mean(halves, axis=0))
    kept = np.setdiff1d(np.arange(n), set_apart)
    discovery, *others = (gaps[np.ix_(kept, kept)] for gaps in halves)
    held_out = others[0] if others else None
    statistics["apart"] = sorted(int(order[model]) for model in set_apart)
    labels = np.full(n, APART, dtype=np.int64)
    labels[order[kept]] = 0
    ending = sentence.apart(set_apart)
    found = best_divisions(discovery[None])
    if found.k[0] < 2:
        reason = "One cluster: no division has two clusters of two models or more."
        return Verdict(1, labels, reason + ending, statistics)
    candidate = labels.copy()
    candidate[order[kept]] = found.labels[0]
    candidate = number_clusters(candidate)
    tested = existence(discovery, held_out, found.labels[0], seed, brief=brief)
    judged = discovery if held_out is None else held_out
    far = strength(judged, candidate[order[kept]], statistics["headroom"])
    sizes = tuple(int(size) for size in np.bincount(candidate[candidate >= 0]))
    statistics |= _statistics(judged, candidate, order[kept], sizes, tested, far)
    statistics["choices"] = _choices(discovery, held_out, len(sizes))
    if not tested.shown:
        said = sentence.one(sizes, tested, held_out is not None)
        return Verdict(1, labels, said + ending, statistics)
    statistics["n_clusters"] = len(sizes)
    said = sentence.several(sizes, tested, far, unit, held_out is not None)
    return Verdict(len(sizes), candidate, said + ending, statistics)


def _statistics(
    judged: Floats,
    candidate: Labels,
    kept: Labels,
    sizes: tuple[int, ...],
    tested: Existence,
    far: Strength,
) -> dict[str, Any]:
    p_values = tested.p_values
    return {
        "k": len(sizes),
        "sizes": list(sizes),
        "best_division": candidate.tolist(),
        "silhouette": float(silhouettes(judged[None], candidate[kept][None]).mean()),
        "p_value": tested.p_value,
        "p_noise": p_values.get("noise"),
        "p_exchangeable": p_values.get("exchangeable"),
        "p_cloud": tested.greatest(CLOUDS),
        "p_effects": tested.greatest(EFFECTS),
        "p_values": dict(p_values),
        "mean_gap_within": far.within,
        "mean_gap_between": far.between,
        "ratio": far.ratio,
        "share": far.share,
        "separation": far.word,
    }


def _choices(discovery: Floats, held_out: Floats | None, chosen: int) -> list[dict[str, Any]]:
    """What speaks for each number of clusters that there is, one row each."""
    rows = []
    for k, labels in sorted(joined_divisions(discovery).items()):
        of_held_out = None
        if held_out is not None:
            of_held_out = float(silhouettes(held_out[None], labels[None]).mean())
        rows.append(
            {
                "k": k,
                "sizes": sorted(np.bincount(labels).tolist(), reverse=True),
                "score": float(scores(discovery[None], labels[None])[0]),
                "discovery_silhouette": float(silhouettes(discovery[None], labels[None]).mean()),
                "held_out_silhouette": of_held_out,
                "chosen": k == chosen,
            }
        )
    return rows


def _undividable(halves: list[Floats]) -> str:
    """Why nothing can be divided; empty when something can."""
    n = len(halves[0])
    if n < FEWEST_MODELS:
        return (
            f"One cluster: {n} {'model is' if n == 1 else 'models are'} too few to divide, which "
            f"takes at least {FEWEST_MODELS}; whether there are more cannot be said."
        )
    pairs = halves[0][np.triu_indices(n, 1)]
    if not pairs.any():
        return "One cluster: all gaps between the models are zero."
    if np.ptp(pairs) <= 1e-9 * pairs.max():
        return "One cluster: all gaps between the models are the same."
    return ""
