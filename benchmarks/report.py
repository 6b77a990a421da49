"""How long the report of a simulated study takes, and how large the page is.

    python benchmarks/report.py --models 100 --points 11 --examples 512

builds the results in a temporary folder first, which is not measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.report.facts import gather
from lmc_track.report.page import render_report
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import open_results
from support.simulated_study import simulated_snapshot

DATASETS = ("validation", "train_sample", "main_only", "embedded_only")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        snapshot = simulated_snapshot(
            folder / "record",
            n_models=options.models,
            n_points=options.points,
            n_examples=options.examples,
            datasets=DATASETS,
            clusters=2,
        )
        path = folder / "results.duckdb"
        rebuild(path, snapshot, DERIVATIONS)
        started, used = time.perf_counter(), time.process_time()
        with open_results(path).at_once() as source:
            facts = gather(source, "simulated")
            page = render_report(source, facts, provenance={}, commands=[])
        wall, processor = time.perf_counter() - started, time.process_time() - used
        if options.out is not None:
            options.out.write_text(page, encoding="utf-8")
    print(
        f"{options.models} models, {len(snapshot.paths)} paths of {options.points} points, "
        f"{len(DATASETS)} data sets of {options.examples} examples, {os.cpu_count()} cores"
    )
    print(f"{wall:8.1f} s to write the page, {processor:.1f} s of processor time")
    print(f"{len(page.encode()) / 1e6:8.2f} MB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--points", type=int, default=11)
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--folder", type=Path, help="where temporary files go")
    parser.add_argument("--out", type=Path, help="where the page goes; kept nowhere without")
    return parser.parse_args()


if __name__ == "__main__":
    main()
