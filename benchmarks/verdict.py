"""How often the verdict on clusters is right: tables of size and power on simulated gaps.

    python benchmarks/verdict.py --draws 200 > tables.md
    python benchmarks/verdict.py --draws 20 --only "cloud of 1" --only "13 + 3"

Size: models that form no groups, as points of one cloud, with effects of their own, with gaps in
no order, with one or two that diverged, or along a line; the share of draws in which clusters are
found. Power: models of two to four groups; the share in which they are found, and found as they
are. Halves differ from each other by 12 %. The generators know nothing of the nulls that the
verdict fits.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from lmc_track.analysis.verdict.minority import PUBLISHED
from lmc_track.analysis.verdict.power import Random, groups, halves, scattered

Floats = NDArray[np.float64]
SIZES = (12, 16, 32, 48, 100)
MNLI = (PUBLISHED.within, PUBLISHED.between)
"""Mean gaps in nats within two clusters and between, as published (Juneja et al. 2023)."""


@dataclass(frozen=True)
class Case:
    """``draw``: true gaps (n, n) and the group of each model (n,); ``limit``: of the rate."""

    table: str
    name: str
    n: int
    draw: Callable[[Random], tuple[Floats, NDArray[np.int64]]]
    limit: str


def cloud(random: Random, n: int, dimensions: int, tail: str) -> tuple[Floats, NDArray[np.int64]]:
    """Squared distances between ``n`` points, normal or of Student's t with 3 degrees."""
    shape = (n, dimensions)
    places = random.normal(size=shape) if tail == "normal" else random.standard_t(3, size=shape)
    return squareform(0.05 / dimensions * pdist(places, "sqeuclidean")), np.zeros(n, np.int64)


def line(random: Random, n: int) -> tuple[Floats, NDArray[np.int64]]:
    """Squared distances between ``n`` points at equal steps on a line."""
    return squareform(0.3 * pdist(np.linspace(0, 1, n)[:, None], "sqeuclidean")), np.zeros(
        n, np.int64
    )


def effects(random: Random, n: int, kind: str) -> tuple[Floats, NDArray[np.int64]]:
    """Gaps of ``n`` models that are what single models make of them, scattered by 30 %."""
    own = scattered(random, np.full(n, 0.05), 0.8)
    first, second = np.triu_indices(n, 1)
    gaps = {
        "iid": np.full(len(first), 0.05),
        "additive": own[first] + own[second],
        "multiplicative": own[first] * own[second] / 0.05,
        "worst of two": np.maximum(own[first], own[second]),
    }[kind]
    return squareform(scattered(random, gaps, 0.3)), np.zeros(n, np.int64)


def diverged(random: Random, n: int, n_diverged: int) -> tuple[Floats, NDArray[np.int64]]:
    """Gaps in no order, to which some models add about a nat each."""
    more = np.zeros(n)
    more[:n_diverged] = scattered(random, np.ones(n_diverged), 0.3)
    first, second = np.triu_indices(n, 1)
    gaps = scattered(random, np.full(len(first), 0.05), 0.5)
    return squareform(gaps + scattered(random, more[first] + more[second], 0.2)), np.zeros(
        n, np.int64
    )


def cases() -> Iterator[Case]:
    """Every cell of the tables."""
    for n in SIZES:
        for dimensions in (1, 2, 3, 5, 8, 20):
            for tail in ("normal", "heavy-tailed"):
                name = f"cloud of {dimensions}, {tail}"
                draw = partial(cloud, n=n, dimensions=dimensions, tail=tail)
                yield Case("size", name, n, draw, "at most .10")
        for kind in ("iid", "additive", "multiplicative", "worst of two"):
            yield Case("size", kind, n, partial(effects, n=n, kind=kind), "at most .10")
        for count in (1, 2):
            draw = partial(diverged, n=n, n_diverged=count)
            yield Case("size", f"{count} diverged", n, draw, "at most .10")
        yield Case("size", "line", n, partial(line, n=n), "at most .20")
    for sizes, within, between, scatter, limit in (
        ((88, 12), *MNLI, 0.3, "at least .95"),
        ((44, 6), *MNLI, 0.3, "at least .95"),
        ((13, 3), *MNLI, 0.3, "at least .80"),
        ((13, 3), (0.09,) * 2, 0.6, 0.3, "at least .95"),
        ((8, 8), (0.09,) * 2, 0.6, 0.3, "at least .95"),
        ((21, 3), (0.09,) * 2, 0.6, 0.3, "at least .95"),
        ((5, 5, 5), (0.09,) * 3, 0.6, 0.3, "at least .90"),
        ((20, 8, 4), (0.09,) * 3, 0.6, 0.3, "at least .90"),
        ((6, 6, 6, 6), (0.09,) * 4, 0.6, 0.3, "at least .90"),
        ((44, 4), (0.0055, 0.03), 0.07, 0.8, "partition at least .85"),
        ((21, 3), (0.0055, 0.03), 0.07, 0.8, "partition at least .95"),
        ((7, 1), *MNLI, 0.3, ""),
        ((6, 2), *MNLI, 0.3, ""),
        ((14, 2), *MNLI, 0.3, ""),
        ((4, 4), *MNLI, 0.3, ""),
        ((3, 3), (0.09,) * 2, 0.6, 0.3, ""),
    ):
        listed = " + ".join(map(str, sizes))
        inside = " / ".join(f"{gap:g}" for gap in dict.fromkeys(within))
        name = f"{listed}, {inside} within, {between:g} between, scatter {scatter:g}"
        draw = partial(groups, sizes=sizes, within=within, between=between, scatter=scatter)
        yield Case("power", name, sum(sizes), draw, limit)


def outcome(case: Case, seed: int) -> tuple[bool, bool, float]:
    """Of one draw: whether clusters were found, whether the best division is the groups exactly,
    and the adjusted Rand index of what was found to them."""
    from lmc_track import find_clusters
    from lmc_track.analysis.stability import adjusted_rand

    random = np.random.default_rng([seed, case.n])
    gaps, group = case.draw(random)
    verdict = find_clusters(*halves(random, gaps, PUBLISHED.agreement), seed=seed, brief=True)
    best = np.array(verdict.statistics["best_division"] or [0] * case.n)
    exact, found = (
        float(adjusted_rand(group[None], (labels + 1)[None])[0])
        for labels in (best, verdict.labels)
    )
    return verdict.n_clusters > 1, exact > 1 - 1e-9, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], help="part of a case's name")
    parser.add_argument("--table", choices=("size", "power"), default=None)
    parser.add_argument("--models", type=int, action="append", help="only these numbers of models")
    asked = parser.parse_args()
    chosen = [
        case
        for case in cases()
        if (not asked.only or any(part in case.name for part in asked.only))
        and asked.table in (None, case.table)
        and (not asked.models or case.n in asked.models)
    ]
    table = ""
    with ProcessPoolExecutor(asked.workers) as pool:
        for case in chosen:
            began = time.perf_counter()
            rows = list(pool.map(partial(outcome, case), range(asked.draws), chunksize=5))
            found, exact, rand = (
                np.array(column, dtype=float) for column in zip(*rows, strict=True)
            )
            if case.table != table:
                table = case.table
                print("\n" + _HEADS[table], flush=True)
            rates = f"{found.mean():.3f}"
            if table == "power":
                rates += f" | {np.mean(rand >= 0.9):.3f} | {exact.mean():.3f}"
            print(f"| {case.name} | {case.n} | {rates} | {case.limit} |", flush=True)
            seconds = (time.perf_counter() - began) / asked.draws * asked.workers
            print(f"{case.name}, n = {case.n}: {seconds:.2f} s a draw", file=sys.stderr)


_HEADS = {
    "size": "| models | n | more than one cluster | limit |\n|---|---:|---:|---|",
    "power": (
        "| groups, nats | n | more than one cluster | adjusted Rand ≥ .9 | best division exact | "
        "limit |\n|---|---:|---:|---:|---:|---|"
    ),
}


if __name__ == "__main__":
    main()
