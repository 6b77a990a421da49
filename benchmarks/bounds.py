"""How long it takes to bound the gaps of a study from its examples, and how much memory.

    python benchmarks/bounds.py --models 100 --points 11 --examples 512 --draws 1000

prints what it measured, of losses; ``--metric error`` of errors. The examples are made first and
are not measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from lmc_track.analysis.bounds import error_gap_bounds, gap_bounds
from lmc_track.analysis.decisions import decide


def main() -> None:
    options = _options()
    alphas = np.arange(options.points) / (options.points - 1)
    losses, runs = _losses(options.models, alphas, options.examples)
    if options.metric == "error":
        losses = losses > np.log(5)
    units = np.arange(options.examples) // options.group
    held_out = units % 2 == 1
    before = _peak()
    version = sys.version.split()[0]
    print(f"Python {version}, NumPy {np.__version__}, {options.cores} of {os.cpu_count()} cores")
    print(
        f"{options.models} models, {len(runs):,} paths of {options.points} points, "
        f"{options.examples} examples in {units[-1] + 1} units, {options.draws:,} draws"
    )
    with threadpool_limits(options.cores):
        start, used = time.perf_counter(), time.process_time()
        if options.metric == "loss":
            found = gap_bounds(alphas, losses, runs, held_out, units, draws=options.draws)
        else:
            found = error_gap_bounds(alphas, losses, runs, held_out, units)
        bounded, computed = time.perf_counter() - start, time.process_time() - used
    if found is None:
        raise SystemExit("too few units for bounds")
    start = time.perf_counter()
    tau = 0.1 if options.metric == "loss" else 0.02
    decision = decide(found, tau).decision
    decided = time.perf_counter() - start
    words, numbers = np.unique(decision, return_counts=True)
    counts = ", ".join(f"{n:,} {word}" for word, n in zip(words, numbers, strict=True))
    print(f"{bounded:>12.2f} s to bound the gaps ({computed:.2f} s of processor time)")
    print(f"{1000 * decided:>12.0f} ms to decide at {tau:g}: {counts}")
    print(f"{losses.nbytes / 2**20:>12.0f} MiB of examples")
    print(f"{_peak() - before:>12.0f} MiB peak memory beside them")


def _losses(n_models: int, alphas: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clusters of models, with arcs of .02 nats within and .3 between; float32."""
    random = np.random.default_rng(0)
    ends = random.exponential(0.4, (n_models, n)).astype(np.float32)
    first, second = np.triu_indices(n_models, 1)
    inner = alphas[1:-1, None].astype(np.float32)
    arc = 4 * inner * (1 - inner)
    p, k = len(first), len(inner)
    losses = np.empty((n_models + p * k, n), dtype=np.float32)
    losses[:n_models] = ends
    for path, (a, b) in enumerate(zip(first, second, strict=True)):
        mean = 0.02 if (a - b) % 2 == 0 else 0.3
        share = random.exponential(mean, n).astype(np.float32)
        wobble = 0.005 * random.standard_normal((k, n), dtype=np.float32)
        part = slice(n_models + path * k, n_models + (path + 1) * k)
        losses[part] = (1 - inner) * ends[a] + inner * ends[b] + arc * share + wobble
    points = n_models + np.arange(p * k).reshape(p, k)
    return losses, np.column_stack([first, points, second])


def _peak() -> float:
    """MiB; Linux reports kibibytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=100, help="100 models are 4,950 pairs")
    parser.add_argument("--points", type=int, default=11, help="points of the grid, ends included")
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--group", type=int, default=1, help="examples a group")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--metric", choices=("loss", "error"), default="loss")
    parser.add_argument("--cores", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
