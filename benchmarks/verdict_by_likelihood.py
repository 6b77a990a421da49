"""A rule that was not taken: clusters where a block model predicts left-out gaps best.

    python benchmarks/verdict_by_likelihood.py --draws 100 > table.md

Pairs are left out in tenths. To the discovery gaps of the others three kinds of model are fitted:
blocks (two to six clusters of the best division), points in space (classical scaling in one to
five dimensions, gap = constant + squared distance) and no groups (one mean of all gaps; sum,
product, worse of two models' own values). Each is judged by the likelihood of the held-out gaps of
the left-out pairs, log-normal about its expectation. Clusters are found where blocks win by
``--margin`` log-likelihood units a pair or more. The models are those of ``benchmarks/verdict.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from verdict import Case, cases

from lmc_track.analysis.stability import adjusted_rand
from lmc_track.analysis.verdict.division import joined_divisions, models_apart
from lmc_track.analysis.verdict.minority import PUBLISHED
from lmc_track.analysis.verdict.nulls import _products, _sums, _worse
from lmc_track.analysis.verdict.power import halves

Floats = NDArray[np.float64]
FOLDS = 10
FILLED = 3
"""Rounds in which left-out gaps are replaced by what the model expects of them."""


def blocks(gaps: Floats, k: int) -> Floats:
    """Expected gaps (n, n): the means of blocks of the division into ``k``."""
    labels = joined_divisions(gaps).get(k)
    if labels is None:
        return np.full_like(gaps, np.nan)
    member = np.eye(k)[labels]
    sizes = member.sum(0)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    return member @ (member.T @ gaps @ member / np.maximum(pairs, 1)) @ member.T


def space(gaps: Floats, dimensions: int) -> Floats:
    """Expected gaps (n, n): a constant and squared distances in ``dimensions``."""
    centred = gaps - gaps.mean(0) - gaps.mean(1)[:, None] + gaps.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    constant = max(2 * float(values[1:-dimensions].mean()), 0.0)
    along = np.maximum(values[-dimensions:] - constant / 2, 0)
    return squareform(constant + pdist(vectors[:, -dimensions:] * np.sqrt(along), "sqeuclidean"))


def models(floor: float) -> dict[str, list[partial[Floats]]]:
    def effects(fit: Callable[[Floats], Floats], gaps: Floats) -> Floats:
        return squareform(fit(gaps))

    def mean(gaps: Floats) -> Floats:
        return np.full(len(gaps) * (len(gaps) - 1) // 2, squareform(gaps, checks=False).mean())

    fits = (mean, partial(_sums), partial(_products, floor=floor), partial(_worse))
    return {
        "blocks": [partial(blocks, k=k) for k in range(2, 7)],
        "space": [partial(space, dimensions=count) for count in range(1, 6)],
        "no groups": [partial(effects, fit) for fit in fits],
    }


def likelihood(fit: partial[Floats], discovery: Floats, held_out: Floats, fold: Floats) -> float:
    """Mean log-likelihood a pair of the ``held_out`` gaps (n, n), each when it was left out."""
    first, second = np.triu_indices(len(discovery), 1)
    floor = 0.1 * discovery[first, second].mean()
    values = []
    for number in range(FOLDS):
        out = fold == number
        np.fill_diagonal(out, False)
        gaps = discovery.copy()
        known = np.where(out | np.eye(len(gaps), dtype=bool), np.nan, discovery)
        own = np.nanmean(known, axis=1)
        gaps[out] = ((own[:, None] + own) / 2)[out]
        for _ in range(FILLED):
            expected = fit(gaps)
            if not np.isfinite(expected).all():
                return -np.inf
            gaps[out] = expected[out]
        scale = np.log(np.maximum(expected, 0) + floor)
        inside, outside = ~out[first, second], out[first, second]
        residual = (np.log(discovery + floor) - scale)[first, second][inside]
        spread = max(float(residual.std()), 1e-3)
        left = (np.log(held_out + floor) - scale)[first, second][outside]
        values.append(-0.5 * (left / spread) ** 2 - np.log(spread))
    return float(np.concatenate(values).mean())


def outcome(case: Case, margin: float, seed: int) -> tuple[bool, bool]:
    """Of one draw: whether clusters are found, and whether they are the groups (Rand ≥ .9)."""
    random = np.random.default_rng([seed, case.n])
    gaps, group = case.draw(random)
    discovery, held_out = halves(random, gaps, PUBLISHED.agreement)
    apart = models_apart((discovery + held_out) / 2)
    kept = np.setdiff1d(np.arange(case.n), apart)
    discovery, held_out = (half[np.ix_(kept, kept)] for half in (discovery, held_out))
    places = random.permutation(len(kept) * (len(kept) - 1) // 2) % FOLDS
    fold = squareform(places.astype(float) + 1, checks=False) - 1
    floor = 0.1 * float(discovery.mean())
    best = {
        kind: max((likelihood(fit, discovery, held_out, fold), at) for at, fit in enumerate(fits))
        for kind, fits in models(floor).items()
    }
    value, at = best.pop("blocks")
    if value < max(other for other, _ in best.values()) + margin:
        return False, False
    labels = joined_divisions(discovery)[at + 2]
    return True, float(adjusted_rand(group[kept][None], labels[None])[0]) >= 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--margin", type=float, default=0.0)
    parser.add_argument("--models", type=int, nargs="+", default=[16, 24])
    asked = parser.parse_args()
    print("| models | n | clusters found | adjusted Rand ≥ .9 | limit |\n|---|---:|---:|---:|---|")
    with ProcessPoolExecutor(asked.workers) as pool:
        for case in cases():
            if case.n in asked.models and case.limit:
                work = partial(outcome, case, asked.margin)
                found, right = np.array(list(pool.map(work, range(asked.draws)))).mean(0)
                right_too = f"{right:.2f}" if case.table == "power" else ""
                print(f"| {case.name} | {case.n} | {found:.2f} | {right_too} | {case.limit} |")


if __name__ == "__main__":
    main()
