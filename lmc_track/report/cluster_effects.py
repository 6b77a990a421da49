"""What tells the clusters apart, as sentences and tables say it: AUC, p, and what cannot be said.

Reads the columns of ``cluster_diagnostics`` alone. Results without tests have none of it.
"""

from __future__ import annotations

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row

_UNSAID = "cannot be said"


def is_tested(facts: Facts) -> bool:
    """Whether there are two clusters or more, with p values."""
    several = facts.found is not None and facts.found.n_clusters > 1
    return several and facts.cluster_diagnostics["smallest_p"].count() > 0


def contrast_on(facts: Facts, dataset: str, subset: str = "all") -> Row | None:
    """The cluster that is spoken of there: of two clusters 1, of more the one most apart."""
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


def evidence(facts: Facts, dataset: str, subset: str) -> str:
    """How well two clusters are told apart, and p where one can be had; empty without a test.

    The AUC is taken the way round that is above a half: beside stand the means, which say which
    cluster has more. Of more clusters only p is given, of the one most apart.
    """
    row = contrast_on(facts, dataset, subset)
    if row is None:
        return ""
    p = p_of(facts, row)
    shown = [auc(facts, row), "" if p is None or is_unsaid(row) else wording.p_value(p)]
    return ", ".join(filter(None, shown))


def auc(facts: Facts, row: Row) -> str:
    """The AUC of two clusters, whichever has more; of more clusters nothing."""
    if facts.found is None or facts.found.n_clusters != 2:
        return ""
    return f"AUC {wording.share(max(row['auc'], 1 - row['auc']))}"


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
        return "one model is no cluster to speak of, so whether they differ cannot be said"
    return f"{sizes} cannot attain p below {least}, so whether they differ cannot be said"
