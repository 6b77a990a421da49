"""How long every query takes on a simulated study, and the measures of all curves.

    python benchmarks/queries.py --models 100 --points 11 --examples 512

prints the best of some repeats: wall time, and processor time where a busy machine hides it. The
record is made first, in a temporary folder; ``--results FILE`` asks an existing file instead.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.query_values import required
from support.simulated_study import DATASET_NAMES, simulated_snapshot


def main() -> None:
    options = _options()
    if options.results:
        _ask(open_results(Path(options.results)), options.repeats)
    else:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            path = Path(name) / "results.duckdb"
            made = simulated_snapshot(
                Path(name) / "record",
                n_models=options.models,
                n_points=options.points,
                n_examples=options.examples,
                datasets=DATASET_NAMES[: options.datasets],
            )
            start = time.perf_counter()
            rebuild(path, made, DERIVATIONS)
            print(f"{time.perf_counter() - start:.1f} s to rebuild")
            _ask(open_results(path), options.repeats)
    pairs = options.models * (options.models - 1) // 2
    for points in (11, 101):
        for shape, losses in (("bumpy", _bumpy(pairs, points)), ("convex", _convex(pairs, points))):
            _report(f"all gaps of {pairs:,} {shape} curves, {points} points", *_gaps(losses))


def _ask(results: Results, repeats: int) -> None:
    for name in queries():
        params = required(name)

        def ask(name: str = name, params: dict[str, object] = params) -> object:
            return results.query(name, **params)

        measured = [_timed(ask) for _ in range(repeats)]
        _report(name, min(wall for wall, _ in measured), min(cpu for _, cpu in measured))


def _gaps(losses: np.ndarray) -> tuple[float, float]:
    """Seconds that the SQL takes for the measures of ``losses`` (curves, points)."""
    alphas = np.linspace(0, 1, losses.shape[1]).tolist()
    frame = pl.DataFrame(
        {
            "curve": np.arange(len(losses)),
            "alphas": [alphas] * len(losses),
            "losses": losses.tolist(),
        }
    )
    views = files("lmc_track.queries.views")
    with duckdb.connect() as connection:
        connection.execute(views.joinpath("curve_measures.sql").read_text("utf-8"))
        connection.register("frame", frame)
        connection.execute("CREATE TABLE given AS FROM frame")
        return _timed(lambda: connection.sql("FROM curve_measures('given')").fetchall())


def _bumpy(curves: int, points: int) -> np.ndarray:
    """A bump in the middle and noise: what a measured curve looks like."""
    alphas = np.linspace(0, 1, points)
    noise = np.random.default_rng(0).normal(0, 0.05, (curves, points))
    return 4 * alphas * (1 - alphas) + noise


def _convex(curves: int, points: int) -> np.ndarray:
    """Every point is on the hull: the longest walk there is."""
    return np.tile((np.linspace(0, 1, points) - 0.5) ** 2, (curves, 1))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _report(what: str, wall: float, cpu: float) -> None:
    print(f"{1000 * wall:8.0f} ms {1000 * cpu:8.0f} ms of processor  {what}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=100, help="100 models are 4,950 pairs")
    parser.add_argument("--points", type=int, default=11, help="points of the grid, ends included")
    parser.add_argument("--examples", type=int, default=512, help="examples a data set")
    parser.add_argument("--datasets", type=int, default=4, choices=range(1, len(DATASET_NAMES) + 1))
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many is printed")
    parser.add_argument("--results", help="a results file to ask; the record is not made then")
    parser.add_argument(
        "--folder", help="where to make the record; a temporary folder if not given"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
