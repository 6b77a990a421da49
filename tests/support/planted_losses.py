"""Losses of single examples along paths whose heights are known, for tests of the analysis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lmc_track.analysis.clustering import Floats
from lmc_track.analysis.resampling import PathLosses, convexity_gaps


def planted_losses(
    sizes: Sequence[int],
    *,
    within: float = 0.0,
    between: float = 0.0,
    noise: float = 0.5,
    examples: int = 60,
    points: int = 5,
    seed: int = 0,
) -> tuple[PathLosses, PathLosses]:
    """Discovery and held-out losses of models in clusters of ``sizes``, in nats.

    The mean curve of a path rises by ``within`` or ``between`` over its chord, evenly uneven from
    path to path. Every run has an error of its own on every example, with standard deviation
    ``noise``, and one that it shares with the runs of its path, half as large. Two examples make
    a unit.
    """
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    n, alphas = len(labels), np.linspace(0, 1, points)
    pairs = np.stack(np.triu_indices(n, 1), axis=1)
    inner = np.arange(n, n + len(pairs) * (points - 2)).reshape(len(pairs), points - 2)
    runs = np.concatenate([pairs[:, :1], inner, pairs[:, 1:]], axis=1)
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    heights = np.where(same, within, between) * random.uniform(0.7, 1.3, len(pairs))
    halves = []
    for _ in range(2):
        losses = random.normal(0.3, noise, (n + inner.size, examples))
        shared = random.normal(0, noise / 2, (len(pairs), 1, examples))
        rise = heights[:, None, None] * (4 * alphas * (1 - alphas))[None, 1:-1, None]
        losses[n:] += (rise + shared).reshape(-1, examples)
        halves.append(PathLosses(n, alphas, pairs, runs, losses, np.arange(examples) // 2))
    return halves[0], halves[1]


def gaps_of(paths: PathLosses) -> Floats:
    """The gap matrix of the mean curves."""
    gaps = convexity_gaps(paths.alphas, paths.losses.mean(1)[paths.runs.T])
    matrix = np.zeros((paths.n_models, paths.n_models))
    matrix[tuple(paths.pairs.T)] = gaps
    return matrix + matrix.T
