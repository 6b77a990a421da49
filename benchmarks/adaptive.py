"""How few points an adaptive grid needs to find the gap that a dense one finds.

    python benchmarks/adaptive.py mlruns dense-study

takes the validation curves of a study that was measured on a dense grid of 21 points or more,
pretends that only a coarse one was, and lets the program choose further points, whose losses are
those of a cubic spline through the dense curve. It prints the share of the dense grid's interior
points that were asked for, and the errors of the convexity gap.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.interpolate import CubicSpline

import lmc_track
from lmc_track.geometry.curves import convexity_gap
from lmc_track.geometry.refinement import next_alpha


def main() -> None:
    options = _options()
    rows = lmc_track.open(options.home).query("curves", study=options.study)
    curves = [
        (np.array(group["alpha"]), np.array(group["value"]))
        for _, group in rows.group_by("path_id", maintain_order=True)
    ]
    dense = len(curves[0][0])
    print(f"{len(curves)} paths of {dense} points; tolerance {options.tolerance:g}")
    for coarse in options.coarse:
        shares, errors, relative = [], [], []
        for alphas, losses in curves:
            reference = convexity_gap(alphas, losses)
            spline = CubicSpline(alphas, losses)
            known = [k / (coarse - 1) for k in range(coarse)]
            while len(known) < coarse + options.refine:
                further = next_alpha(known, spline(known), options.tolerance)
                if further is None:
                    break
                known = sorted([*known, further])
            error = abs(convexity_gap(known, spline(known)) - reference)
            shares.append((len(known) - 2) / (dense - 2))
            errors.append(error)
            relative.append(error / reference if reference > 0 else float(error > 0))
        print(
            f"{coarse:>3} points and at most {options.refine} more: "
            f"{np.mean(shares):.0%} of the evaluations; gap error median {np.median(errors):.2g} "
            f"nats ({np.median(relative):.2%}), 90 % {np.quantile(errors, 0.9):.2g} nats "
            f"({np.quantile(relative, 0.9):.2%}), largest {np.max(errors):.2g} nats"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("home", help="home of the study")
    parser.add_argument("study", help="a study measured on a dense grid")
    parser.add_argument("--coarse", type=int, nargs="+", default=[4, 5, 6, 7])
    parser.add_argument("--refine", type=int, default=4, help="the most points added")
    parser.add_argument("--tolerance", type=float, default=0.02)
    return parser.parse_args()


if __name__ == "__main__":
    main()
