"""How often the bounds of gaps hold, and how many decisions are wrong, on studies of known gaps.

    python benchmarks/coverage.py --replicates 2000

prints a table in Markdown: shares of replicates in which each bound holds, both meant to be .95.
``--metric error`` does it for errors, which are 0 or 1, instead of losses.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.analysis.bounds import TAILS, error_gap_bounds, gap_bounds
from lmc_track.analysis.decisions import decide
from support.noisy_curves import bump, noisy_curves
from support.noisy_errors import noisy_errors

POINTS = 11
SKEWNESS = {1: 4.0, 2: 1.0, 4: 0.25}
"""Of an example's share of the height, with the shape of the gamma distribution that has it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--metric", choices=("loss", "error"), default="loss")
    options = parser.parse_args()
    n = options.replicates
    print(f"{n:,} replicates; Monte-Carlo standard error {np.sqrt(0.95 * 0.05 / n):.3f}.\n")
    if options.metric == "error":
        _errors(n)
    else:
        _losses(n)


def _errors(n: int) -> None:
    """Errors that are rare at the ends and such that are not, examples single and in groups."""
    print("| examples | error at the ends | true gap | lower holds | upper holds |", end="")
    print(" upper holds, tail .001 | median lower | upper |")
    print("|---|---|---|---|---|---|---|---|")
    for units in (40, 100, 250):
        for base, gap in ((0.001, 0.0), (0.0, 0.02), (0.05, 0.02), (0.05, 0.1), (0.0, 0.3)):
            _error_row(str(units), base, gap, n, {"n_units": units})
    for gap in (0.02, 0.1, 0.3):
        _error_row("80 groups of 8", 0.0, gap, n, {"n_units": 80, "unit_size": 8})


def _error_row(name: str, base: float, gap: float, n: int, options: dict[str, object]) -> None:
    expected = np.tile(base + bump(POINTS, gap), (n, 1))
    found = error_gap_bounds(**vars(noisy_errors(expected, seed=1, **options)))
    assert found is not None
    lower, upper = (found.lower <= gap).mean(), (found.upper >= gap).mean()
    far = (found.uppers[:, np.abs(TAILS - 1e-3).argmin()] >= gap).mean()
    middle = f"{np.median(found.lower):.3f} | {np.median(found.upper):.3f}"
    print(
        f"| {name} | {base:g} | {gap:g} | {lower:.3f} | {upper:.3f} | {far:.3f} | {middle} |",
        flush=True,
    )


def _losses(n: int) -> None:
    print("| units | skewness | true gap | lower holds | upper holds | median lower | upper |")
    print("|---|---|---|---|---|---|---|")
    for units in (40, 100, 250, 500):
        for skewness, shape in SKEWNESS.items():
            for gap in (0.0, 0.02, 0.3):
                _row(str(units), skewness, gap, n, {"n_units": units, "shape": shape})
    grouped = {"n_units": 80, "unit_size": 8, "within": 1.0}
    for gap in (0.0, 0.02, 0.3):
        _row("80 groups of 8", 2, gap, n, grouped)
    for gap in (0.0, 0.02, 0.3):
        _row("the same, groups ignored", 2, gap, n, grouped, ignore=True)
    print()
    _decisions()


def _row(
    name: str, skewness: int, gap: float, n: int, options: dict[str, object], ignore: bool = False
) -> None:
    curves = vars(noisy_curves(np.tile(bump(POINTS, gap), (n, 1)), seed=1, **options))
    if ignore:
        curves["units"] = np.arange(len(curves["units"]))
    found = gap_bounds(**curves)
    assert found is not None
    lower, upper = (found.lower <= gap).mean(), (found.upper >= gap).mean()
    middle = f"{np.median(found.lower):.3f} | {np.median(found.upper):.3f}"
    print(f"| {name} | {skewness} | {gap:g} | {lower:.3f} | {upper:.3f} | {middle} |", flush=True)


def _decisions() -> None:
    """Studies of 300 pairs whose gaps lie at τ = .1, just beside it and well apart from it."""
    tau, studies = 0.1, 100
    gaps = np.repeat([0.0, 0.95 * tau, tau, 1.02 * tau, 3 * tau], [80, 50, 50, 50, 70])
    heights = np.array([bump(POINTS, gap) for gap in gaps])
    print("| pairs share examples' shares | q | wrong among decided | decided |")
    print("|---|---|---|---|")
    for shared in (False, True):
        for q in (0.05, 0.2):
            wrong, decided = [], []
            for seed in range(studies):
                curves = noisy_curves(heights, n_units=250, shared=shared, seed=seed)
                found = gap_bounds(**vars(curves))
                assert found is not None
                said = decide(found, tau, q).decision
                false = (said == "separated") & (gaps <= tau)
                false |= (said == "connected") & (gaps > tau)
                decided.append((said != "undecided").mean())
                wrong.append(false.sum() / max((said != "undecided").sum(), 1))
            print(
                f"| {'yes' if shared else 'no'} | {q:g} | {np.mean(wrong):.4f} | "
                f"{np.mean(decided):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
