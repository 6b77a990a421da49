"""How many models find the published minority: the table that lmc-track ships.

    python benchmarks/power.py --draws 100 --workers 2

prints the entries of ``PUBLISHED_FOUND`` in lmc_track/analysis/verdict/published_power.py: in how
many simulated studies of so many models the verdict on clusters finds a minority of 12 % at the
published sizes of gap.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from lmc_track.analysis.verdict.power import PUBLISHED, Power, finds, two_there

SIZES = (6, 8, 10, 12, 16, 20, 24, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--models", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.workers) as pool:
        for n in asked.models:
            began = time.perf_counter()
            draw = partial(finds, n, PUBLISHED, asked.seed)
            found = sum(pool.map(draw, range(asked.draws), chunksize=2))
            power = Power(n, two_there(n, PUBLISHED.share), found, asked.draws)
            print(f"    {n}: {found},", flush=True)
            low, high = power.interval
            seconds = (time.perf_counter() - began) / asked.draws * asked.workers
            print(
                f"{n} models: {power.power:.2f} ({low:.2f} to {high:.2f}), two there "
                f"{power.two:.2f}, {seconds:.2f} s a draw",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
