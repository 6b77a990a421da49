"""How clusters differ on a data set, as sentences and tables say it.

Knows the means, the exceptions, the p values, and what so few models cannot show. Results without
tests have means and exceptions only.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row

_UNSAID = "cannot be said"
_ROUNDING = 1e-9
_MOST_NAMED = 2


def is_tested(facts: Facts) -> bool:
    """Whether there are two clusters or more, with p values."""
    several = facts.found is not None and facts.found.n_clusters > 1
    return several and facts.cluster_diagnostics["smallest_p"].count() > 0


def contrast_on(facts: Facts, dataset: str, subset: str = "all") -> Row | None:
    """The row of the cluster that is described: of two clusters 1, of more the most different."""
    if not is_tested(facts):
        return None
    rows = facts.cluster_diagnostics.filter(
        (pl.col("dataset") == dataset) & (pl.col("subset") == subset) & pl.col("auc").is_not_null()
    )
    if rows.is_empty():
        return None
    if facts.found is not None and facts.found.n_clusters == 2:
        rows = rows.filter(pl.col("cluster") == 1)
    apart = rows.sort(pl.col("r").abs(), descending=True, nulls_last=True, maintain_order=True)
    return apart.row(0, named=True) if apart.height else None


def p_of(facts: Facts, row: Row) -> float | None:
    """p as it counts: of two clusters on the primary diagnostic by itself, else corrected."""
    by_itself = row["is_primary"] and facts.found is not None and facts.found.n_clusters == 2
    p: float | None = row["p_value"] if by_itself else row["p_corrected"]
    return p


def is_unsaid(row: Row) -> bool:
    """Whether so few models cannot show a difference, however large."""
    return str(row["verdict"] or "").startswith(_UNSAID)


@dataclass(frozen=True)
class Sides:
    """On which side models stand by their value: of how many of them, and who is elsewhere.

    ``exceptions`` are the models whose value is nearer to another cluster's mean than to their
    own cluster's. A model alone in its cluster is its mean, so it is not counted.
    """

    n_models: int
    exceptions: list[str]

    @property
    def n_own(self) -> int:
        """Models nearest to the mean of their own cluster, ties included."""
        return self.n_models - len(self.exceptions)


def sides(facts: Facts, dataset: str, subset: str) -> Sides | None:
    """None where fewer than two clusters have values there, all have the same mean, or each has
    one model."""
    values = facts.diagnostics.filter(
        (pl.col("dataset") == dataset)
        & (pl.col("subset") == subset)
        & pl.col("value").is_not_null()
        & pl.col("cluster").is_not_null()
    )
    means: dict[int, float] = dict(
        values.group_by("cluster").agg(pl.col("value").mean()).iter_rows()
    )
    if len(means) < 2 or max(means.values()) - min(means.values()) <= _ROUNDING:
        return None
    judged = values.filter(pl.len().over("cluster") > 1)
    if judged.is_empty():
        return None
    exceptions = [
        str(model)
        for model, cluster, value in judged.select("model", "cluster", "value").iter_rows()
        if abs(value - means[cluster])
        > min(abs(value - mean) for other, mean in means.items() if other != cluster) + _ROUNDING
    ]
    return Sides(judged.height, exceptions)


def sides_clause(facts: Facts, dataset: str, subset: str) -> str:
    """How many models are nearer their own cluster's mean, and who is not; else nothing."""
    found = sides(facts, dataset, subset)
    if found is None:
        return ""
    if not found.exceptions:
        return f"all {found.n_models:,} models nearer their own mean"
    text = f"{found.n_own:,} of {found.n_models:,} models nearer their own mean"
    if len(found.exceptions) > _MOST_NAMED:
        return text
    return f"{text}, {wording.listing(found.exceptions)} {_the_other(facts)}"


def _the_other(facts: Facts) -> str:
    two = facts.found is not None and facts.found.n_clusters == 2
    return "the other's" if two else "another's"


def evidence(facts: Facts, dataset: str, subset: str) -> str:
    """p of the difference, of more than two clusters that of the most different; or nothing."""
    row = contrast_on(facts, dataset, subset)
    p = None if row is None or is_unsaid(row) else p_of(facts, row)
    return "" if p is None else wording.p_value(p)


def limit(facts: Facts, dataset: str, subset: str) -> str:
    """The smallest p that so many models can attain, as a clause; empty without a test."""
    row = contrast_on(facts, dataset, subset)
    if row is None or row["smallest_p"] is None:
        return ""
    sizes = f"{row['n_out']:,} against {wording.count(row['n_models'], 'model')}"
    least = wording.bare_p(row["smallest_p"])
    if not is_unsaid(row):
        return f"{sizes} can attain p = {least} at best" if least[0] != "<" else ""
    if min(row["n_out"], row["n_models"]) < 2:
        return "a single model has no spread, so whether the clusters differ cannot be said"
    return f"{sizes} cannot attain p below {least}, so whether they differ cannot be said"
