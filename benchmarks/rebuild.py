"""How long it takes to build a results file from a simulated record, and to read it.

    python benchmarks/rebuild.py --models 46 --points 9 --examples 500

prints what it measured. The record is made first, in a temporary folder, and is not measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.matrices import gap_matrix
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import open_results
from support.simulated_study import simulated_snapshot

T = TypeVar("T")
DATASETS = ("validation", "train_sample", "main_only", "embedded_only")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        snapshot, made = _timed(
            lambda: simulated_snapshot(
                folder / "record",
                n_models=options.models,
                n_points=options.points,
                n_examples=options.examples,
                datasets=DATASETS[: options.datasets],
                clusters=2,
            )
        )
        path = folder / "results.duckdb"
        report, built = _timed(lambda: rebuild(path, snapshot, DERIVATIONS))
        print(
            f"Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}, "
            f"Polars {pl.__version__}, {os.cpu_count()} cores"
        )
        print(
            f"{options.models} models, {len(snapshot.paths)} paths of {options.points} points, "
            f"{options.datasets} data sets of {options.examples} examples (made in {made:.1f} s)"
        )
        for table in ("predictions", "evaluations", "barriers"):
            print(f"{report.counts[table]:>12,} {table}")
        print(f"{len(snapshot.predictions):>12,} prediction files")
        print(f"{built:>12.2f} s to rebuild")
        print(f"{path.stat().st_size / 2**20:>12.1f} MiB results file")
        results = open_results(path)
        asked: dict[str, Callable[[], object]] = {
            "gap_matrix (Python)": lambda: gap_matrix(results, "simulated", half="discovery"),
            "barrier_matrix": lambda: results.query("barrier_matrix"),
            "barrier_pairs": lambda: results.query("barrier_pairs"),
            "curves": lambda: results.query("curves"),
            "cluster_diagnostics": lambda: results.query("cluster_diagnostics"),
            "study_summary": lambda: results.query("study_summary"),
            "threshold_components": lambda: results.query("threshold_components", tau=0.1),
            "holes": lambda: results.query("holes"),
        }
        for query, ask in asked.items():
            best = min(_timed(ask)[1] for _ in range(options.repeats))
            print(f"{1000 * best:>12.0f} ms {query}")
    # Linux reports kibibytes.
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:>12.0f} MiB peak memory")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=46, help="46 models are 1,035 pairs")
    parser.add_argument("--points", type=int, default=9, help="points of the grid, ends included")
    parser.add_argument("--datasets", type=int, default=3, choices=range(1, len(DATASETS) + 1))
    parser.add_argument("--examples", type=int, default=500, help="examples a data set")
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many is printed")
    parser.add_argument(
        "--folder", help="where to make the record; a temporary folder if not given"
    )
    return parser.parse_args()


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


if __name__ == "__main__":
    main()
