"""What clusters of models do differently: contrasts of one cluster with the rest, and of an axis.

Knows values of models on evaluation sets, as arrays. Memberships come from elsewhere, and must
not have been made from the same examples. Only association is measured: models are not assigned to
clusters at random, so no cause can be read from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.association import (
    LEAST_SPREAD,
    Association,
    Mask,
    associations,
    is_constant,
    partial_correlations,
)
from lmc_track.analysis.permutation import (
    DRAWS,
    SEED,
    Deals,
    Floats,
    Places,
    smallest_cluster_p,
    smallest_order_p,
)

# What is left of means that are equal.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Contrast:
    """One side of the models against the other, for r rows of values; NaN where undefined.

    ``n_in``, ``n_out``: models that have a value; ``mean_in``, ``mean_out`` and their
    ``difference``; ``auc``: how often a model inside has the larger value, ties counted half;
    ``r``: point-biserial correlation of value and side. All (r,).
    """

    n_in: Places
    n_out: Places
    mean_in: Floats
    mean_out: Floats
    difference: Floats
    auc: Floats
    r: Floats


def contrast(values: Floats, inside: Mask) -> Contrast:
    """Compare the models ``inside`` (n,) with the others on ``values`` (r, n), NaN if missing.

    The AUC is the Mann–Whitney statistic over n_in·n_out; values nearer than 1e-9 are ties.
    r is undefined where all values are equal.
    """
    known = np.isfinite(values)
    n_in, n_out = (known & inside).sum(1), (known & ~inside).sum(1)
    mean_in, mean_out = _mean(values, known & inside), _mean(values, known & ~inside)
    both = n_in * n_out
    apart = values[:, inside, None] - values[:, None, ~inside]
    above = (apart > LEAST_SPREAD).sum((1, 2)) + 0.5 * (np.abs(apart) <= LEAST_SPREAD).sum((1, 2))
    centred = np.where(known, values - _mean(values, known)[:, None], 0.0)
    spread = np.sqrt(np.square(centred).sum(1) * (n_in + n_out))
    defined = (both > 0) & ~is_constant(values)
    return Contrast(
        n_in,
        n_out,
        mean_in,
        mean_out,
        np.where(np.abs(mean_in - mean_out) < _ROUNDING, 0.0, mean_in - mean_out),
        _quotient(above, both, both > 0),
        _quotient((mean_in - mean_out) * np.sqrt(both), spread, defined),
    )


def residuals(values: Floats, validation: Floats) -> Floats:
    """``values`` (r, n) less a least-squares line on ``validation`` (n,), over the models of both.

    Where validation is the same in all models there is nothing to take away but the mean. NaN
    where nothing is left to compare: values that lie on the line, as those of two models do.
    """
    known = np.isfinite(values) & np.isfinite(validation)
    x = np.where(known, validation, np.nan)
    from_x = np.where(known, x - _mean(x, known)[:, None], 0.0)
    from_y = np.where(known, values - _mean(values, known)[:, None], 0.0)
    sloped = ~is_constant(x)
    slope = _quotient((from_x * from_y).sum(1), np.square(from_x).sum(1), sloped)
    slope[~sloped] = 0.0
    left = np.where(known, from_y - slope[:, None] * from_x, np.nan)
    left[is_constant(left)] = np.nan
    return left


@dataclass(frozen=True)
class ClusterEffect:
    """One cluster against the rest, on r rows of values.

    ``adjusted``: the contrast of the residuals on validation, except that its ``r`` is the partial
    correlation of value and side given validation, in which the side is adjusted too. p values are
    (r,): two-sided permutation p, the same over the family (step-down max-T), and both for
    ``adjusted.r`` (Freedman–Lane). ``smallest_p``: what so few models can attain; residuals can be
    dealt in more orders than memberships, but no p is given as less. ``n_deals`` were tried for
    ``p_value``; where ``exact``, all there are.
    """

    raw: Contrast
    adjusted: Contrast
    p_value: Floats
    p_corrected: Floats
    adjusted_p_value: Floats
    adjusted_p_corrected: Floats
    smallest_p: Floats
    n_deals: Places
    exact: Mask


def cluster_effects(
    values: Floats,
    labels: Places,
    validation: Floats | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[ClusterEffect]:
    """Each cluster 0 … k−1 of ``labels`` (n,) against the rest, on ``values`` (r, n).

    ``validation``: (n,), what is adjusted for. The family is all rows and, for more than two
    clusters, all contrasts; two clusters make one contrast, seen from both sides. Fewer than
    two clusters have none. Among more than two, a cluster of one model is compared but not
    tested: there is nothing to say of it, and others would pay for it.
    """
    k = int(labels.max(initial=-1)) + 1
    if k < 2:
        return []
    members = labels[:, None] == np.arange(k)
    tested = [1] if k == 2 else np.flatnonzero(members.sum(0) > 1).tolist()
    properties = members[:, tested].astype(np.float64)
    covariate = np.full(len(labels), np.nan) if validation is None else validation
    raw = associations(values, properties, labels=labels, draws=draws, seed=seed)
    adjusted = associations(
        values, properties, labels=labels, covariate=covariate, draws=draws, seed=seed
    )
    left = residuals(values, covariate)
    partial = partial_correlations(values, members.astype(np.float64), covariate)
    of_contrast = {0: 0, 1: 0} if k == 2 else {c: i for i, c in enumerate(tested)}
    return [
        _cluster_effect(
            values,
            replace(contrast(left, members[:, c]), r=partial[:, c]),
            members[:, c],
            raw,
            adjusted,
            of_contrast.get(c),
        )
        for c in range(k)
    ]


def _cluster_effect(
    values: Floats,
    given_validation: Contrast,
    inside: Mask,
    raw: Association,
    adjusted: Association,
    tested: int | None,
) -> ClusterEffect:
    """``tested``: which of the properties is this cluster's membership; None of an untested one."""

    def of_cluster(p: Floats) -> Floats:
        return np.full(len(values), np.nan) if tested is None else p[:, tested]

    sides = contrast(values, inside)
    sizes = zip(sides.n_in.tolist(), sides.n_out.tolist(), raw.deals, strict=True)
    smallest = np.array([smallest_cluster_p(*size) for size in sizes], dtype=np.float64)
    n_deals, exact = _deals(raw.deals)
    return ClusterEffect(
        sides,
        given_validation,
        of_cluster(raw.p_value),
        of_cluster(raw.p_corrected),
        np.maximum(of_cluster(adjusted.p_value), smallest),
        np.maximum(of_cluster(adjusted.p_corrected), smallest),
        smallest,
        n_deals,
        exact,
    )


def cluster_axes(centroid_distances: Floats) -> Floats:
    """How much nearer each model is to each cluster's centroid than to the nearest other one.

    ``centroid_distances``: (n, k), k > 1. Two clusters have one axis, (n, 1), from cluster 0 to
    cluster 1: the difference of the distances to the two centroids (Juneja et al. 2023). More
    have (n, k).
    """
    n, k = centroid_distances.shape
    towards = np.empty((n, k))
    for c in range(k):
        others = np.delete(centroid_distances, c, axis=1).min(1)
        towards[:, c] = others - centroid_distances[:, c]
    return towards[:, 1:] if k == 2 else towards


@dataclass(frozen=True)
class AxisEffect:
    """Correlations of one place per model, on an axis, with r rows of values; all (r,).

    ``adjusted_pearson``: the partial correlation given validation, and its p (Freedman–Lane).
    ``smallest_p``: no p can be less.
    """

    n_models: Places
    pearson: Floats
    spearman: Floats
    adjusted_pearson: Floats
    p_value: Floats
    p_corrected: Floats
    spearman_p_value: Floats
    spearman_p_corrected: Floats
    adjusted_p_value: Floats
    adjusted_p_corrected: Floats
    smallest_p: Floats
    n_deals: Places
    exact: Mask


def axis_effects(
    values: Floats,
    axes: Floats,
    validation: Floats | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[AxisEffect]:
    """Correlate each of ``axes`` (n, a) with ``values`` (r, n); the family is rows and axes.

    Pearson's and Spearman's correlation are families of their own.
    """
    covariate = np.full(len(axes), np.nan) if validation is None else validation
    raw = associations(values, axes, draws=draws, seed=seed)
    ranked = associations(values, axes, ranked=True, draws=draws, seed=seed)
    adjusted = associations(values, axes, covariate=covariate, draws=draws, seed=seed)
    n_models = np.isfinite(values).sum(1)
    smallest = np.array(
        [smallest_order_p(n, d) for n, d in zip(n_models.tolist(), raw.deals, strict=True)],
        dtype=np.float64,
    )
    n_deals, exact = _deals(raw.deals)
    return [
        AxisEffect(
            n_models,
            raw.r[:, a],
            ranked.r[:, a],
            adjusted.r[:, a],
            raw.p_value[:, a],
            raw.p_corrected[:, a],
            ranked.p_value[:, a],
            ranked.p_corrected[:, a],
            adjusted.p_value[:, a],
            adjusted.p_corrected[:, a],
            smallest,
            n_deals,
            exact,
        )
        for a in range(axes.shape[1])
    ]


def _deals(deals: tuple[Deals, ...]) -> tuple[Places, Mask]:
    return (
        np.array([len(d.orders) for d in deals], dtype=np.int64),
        np.array([d.exact for d in deals], dtype=np.bool_),
    )


def _mean(values: Floats, chosen: Mask) -> Floats:
    n = chosen.sum(1)
    return _quotient(np.where(chosen, values, 0.0).sum(1), n, n > 0)


def _quotient(above: NDArray[np.generic], below: NDArray[np.generic], defined: Mask) -> Floats:
    """``above / below``, NaN where it is not ``defined``."""
    quotients: Floats = np.divide(above, below, out=np.full(defined.shape, np.nan), where=defined)
    return quotients
