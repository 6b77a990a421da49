"""Correlation of many columns of values with properties of the models, tested by permutation.

Knows arrays of n models, in which values may be missing. A property is anything that each model
has one number of: membership in a cluster, a place on an axis. The models are the units: what is
dealt anew is which model has which property.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.permutation import (
    DRAWS,
    ROUNDING,
    SEED,
    Deals,
    Floats,
    Places,
    every_assignment,
    every_order,
    max_t,
    priorities,
)

Mask = NDArray[np.bool_]
LEAST_SPREAD = 1e-9
_NUMBERS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Association:
    """Of r rows of values with k properties, each (r, k); NaN where undefined.

    ``r``: Pearson's correlation; given a covariate the partial one. ``p_value``: two-sided, of
    each by itself. ``p_corrected``: of each among all r·k, step-down max-T. ``deals``: those
    behind ``p_value``, by row.
    """

    r: Floats
    p_value: Floats
    p_corrected: Floats
    deals: tuple[Deals, ...]


def associations(
    values: Floats,
    properties: Floats,
    *,
    labels: Places | None = None,
    covariate: Floats | None = None,
    ranked: bool = False,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Association:
    """Correlate rows of ``values`` (r, n), NaN where missing, with ``properties`` (n, k).

    ``labels`` (n,) says that the properties are a function of few labels, so that few deals
    differ. Each row takes the models that have a value, and deals among them. For the family the
    same order of all models is used in every row, less the models that a row has not got; r is
    multiplied by the square root of its degrees of freedom, so that rows of more and of fewer
    models are on one scale (a permuted correlation of m models has the variance 1/(m − 1)).

    With ``covariate`` (n,) the correlation is partial, and its p that of Freedman and Lane
    1983: the residuals of the values on the covariate are dealt anew, added to the fitted line,
    and the line is fitted again. With ``ranked`` values and properties count by their ranks among
    the row's models, which makes the correlation Spearman's.
    """
    known = np.isfinite(values)
    if covariate is not None:
        known &= np.isfinite(covariate)
    sorted_models = np.argsort(properties[:, 0] if labels is None else labels, kind="stable")
    shared = priorities(len(sorted_models), draws, seed)
    r, p_value, corrected = (np.full((len(values), properties.shape[1]), np.nan) for _ in range(3))
    deals_of: list[Deals] = [Deals(np.zeros((1, 0), dtype=np.int64), exact=True)] * len(values)
    parts, sizes, dealt = [], [], []
    masks = np.unique(known, axis=0)
    for mask in masks:
        rows = np.flatnonzero((known == mask).all(1))
        models = sorted_models[mask[sorted_models]]
        part = _part(values, properties, rows, models, labels, covariate, ranked)
        own = _all_deals(part) or part.random_deals(shared)
        observed: Floats = part.observed()
        tried = part.dealt(own)
        reached = np.count_nonzero(tried >= np.abs(observed).ravel() - ROUNDING, axis=0)
        p_of_row = own.p(reached).reshape(observed.shape)
        r[rows], p_value[rows] = observed, np.where(np.isfinite(observed), p_of_row, np.nan)
        for row in rows:
            deals_of[row] = own
        family = own
        if len(masks) > 1 and own.exact:
            family = part.random_deals(shared)
            tried = part.dealt(family)
        parts.append(rows)
        sizes.append(np.abs(observed).ravel() * part.scale)
        dealt.append(tried * part.scale)
    if parts:
        rows = np.concatenate(parts)
        found = max_t(np.concatenate(sizes), np.hstack(dealt), family).reshape(
            len(rows), r.shape[1]
        )
        # Random deals for the family may undercut the exact ones that a row has of its own.
        corrected[rows] = np.fmax(found, p_value[rows])
    return Association(r, p_value, corrected, tuple(deals_of))


def partial_correlations(values: Floats, properties: Floats, covariate: Floats) -> Floats:
    """The r (r, k) of ``associations`` with ``covariate`` (n,), without its tests.

    It is the correlation of two residuals, those of the values and those of the property, each on
    the covariate (Fisher 1924). NaN where values or property are a line in the covariate.
    """
    known = np.isfinite(values) & np.isfinite(covariate)
    r = np.full((len(values), properties.shape[1]), np.nan)
    for mask in np.unique(known, axis=0):
        rows = np.flatnonzero((known == mask).all(1))
        models = np.flatnonzero(mask)
        r[rows] = _part(values, properties, rows, models, None, covariate, False).observed()
    return r


def is_constant(values: Floats) -> Mask:
    """Whether each row (…, n) is one number over and over, within rounding, or has none."""
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(-1, initial=np.inf)
    high = np.where(known, values, -np.inf).max(-1, initial=-np.inf)
    constant: Mask = ~(high - low > LEAST_SPREAD)
    return constant


@dataclass(frozen=True)
class _Part:
    """Rows that the same m models have values of, the models sorted by property.

    ``rows``: (r',); ``models``: (m,); ``labels``: (m,) or None. ``errors``: (r', m) residuals of
    unit length, ``tested``: (k, m) likewise, zero where nothing is left; ``line``: (m,) the
    covariate's, or None.
    """

    rows: Places
    models: Places
    labels: Places | None
    errors: Floats
    tested: Floats
    line: Floats | None

    @property
    def scale(self) -> float:
        free = len(self.models) - (1 if self.line is None else 2)
        return float(np.sqrt(max(free, 0)))

    def observed(self) -> Floats:
        """r (r', k), NaN where nothing is left of values or property."""
        r = self.errors @ self.tested.T
        defined = np.expand_dims(self.errors.any(1), 1) & self.tested.any(1)
        return np.where(defined, np.clip(r, -1, 1), np.nan)

    def random_deals(self, shared: Floats) -> Deals:
        """Deals among this part's models by ``shared`` (b, n) priorities of all models.

        Models are sorted by property, so that a model gets about the same here as in a part
        with more models.
        """
        return Deals(np.argsort(np.argsort(shared[:, self.models], axis=1), axis=1), exact=False)

    def dealt(self, deals: Deals) -> Floats:
        """|r| in every deal: (b, r'·k)."""
        found = np.empty((len(deals.orders), len(self.errors) * len(self.tested)))
        at_once = max(1, _NUMBERS_AT_ONCE // max(len(self.models) * len(self.tested), 1))
        for start in range(0, len(found), at_once):
            orders = deals.orders[start : start + at_once]
            sizes = np.abs(self.tested[:, orders] @ self.errors.T)
            if self.line is not None:
                left = 1 - np.square(self.line[orders] @ self.errors.T)
                # What is left of the errors once the line is fitted again; nothing: no effect.
                fitted = np.sqrt(np.where(left > LEAST_SPREAD, left, np.inf))
                sizes = sizes / fitted
            found[start : start + at_once] = np.moveaxis(sizes, 0, -1).reshape(
                len(orders), found.shape[1]
            )
        return found


def _part(
    values: Floats,
    properties: Floats,
    rows: Places,
    models: Places,
    labels: Places | None,
    covariate: Floats | None,
    ranked: bool,
) -> _Part:
    rows_of, columns_of = values[np.ix_(rows, models)], properties[models].T
    if ranked:
        rows_of, columns_of = midranks(rows_of), midranks(columns_of)
    line = None if covariate is None else _unit(_centred(covariate[None, models]))[0]
    # A covariate that is the same in all models has nothing to take away.
    if line is not None and not line.any():
        line = None
    return _Part(
        rows,
        models,
        None if labels is None else labels[models],
        _left(rows_of, line),
        _left(columns_of, line),
        line,
    )


def _left(values: Floats, line: Floats | None) -> Floats:
    """``values`` (…, m) less their mean and what ``line`` says of them, at unit length."""
    left = _centred(values)
    if line is not None:
        left = left - (left @ line)[:, None] * line[None]
        # Twice: the first pass leaves rounding of the size of what it takes away.
        left = _centred(left)
        left = left - (left @ line)[:, None] * line[None]
    return _unit(left)


def _centred(values: Floats) -> Floats:
    return values - values.mean(-1, keepdims=True) if values.shape[-1] else values


def _unit(values: Floats) -> Floats:
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    keep = np.expand_dims(~is_constant(values), -1)
    units: Floats = np.divide(values, lengths, out=np.zeros_like(values), where=keep)
    return units


def _all_deals(part: _Part) -> Deals | None:
    """All deals of the part's models where they are few."""
    if part.labels is None or part.line is not None:
        return every_order(len(part.models))
    return every_assignment(part.labels)


def midranks(values: Floats) -> Floats:
    """Ranks (r, n) from 1 within each row, ties at their mean, NaN where ``values`` are."""
    ranks = np.full(values.shape, np.nan)
    for row, of_row in zip(values, ranks, strict=True):
        known = np.isfinite(row)
        ordered = np.sort(row[known])
        below = np.searchsorted(ordered, row[known] - LEAST_SPREAD, "left")
        up_to = np.searchsorted(ordered, row[known] + LEAST_SPREAD, "right")
        of_row[known] = (below + 1 + up_to) / 2
    return ranks
