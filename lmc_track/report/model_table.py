"""The table of models: seeds, validation, diagnostics, and how far a model is from the others."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.tables import Cell, Column, Table, filled, gap_text, half_name

_MOST_DIAGNOSTICS = 4
_Filled = tuple[Column, list[Cell]]


def model_table(facts: Facts) -> Table:
    """Every model: seeds, validation, the first diagnostics, and its mean gaps."""
    columns = [*_who(facts), *_validation(facts), *_diagnostics(facts), *_distances(facts)]
    seconds = facts.models["seconds"].to_list()
    digests = [(digest or wording.MISSING)[:8] for digest in facts.models["weights_digest"]]
    columns += [
        (Column("seconds"), [Cell(_dash(value, f"{value or 0:.1f}")) for value in seconds]),
        (Column("weights digest", numeric=False), [Cell(text, code=True) for text in digests]),
    ]
    return filled(
        Table(
            f"Models; loss and accuracy on all of validation, gaps and "
            f"{wording.metric_name(facts.primary.metric)} of diagnostics on {half_name(facts)}",
            tuple(column for column, _ in columns),
            tuple(zip(*(cells for _, cells in columns), strict=True)),
        )
    )


def left_out_table(facts: Facts) -> Table:
    """What is on record and does not count."""
    rows = facts.left_out.to_dicts()
    columns: list[_Filled] = [
        (
            Column("name", numeric=False),
            [Cell(row["name"], run=row["model_id"] or "") for row in rows],
        ),
        (
            Column("what", numeric=False),
            [Cell("model" if row["kind"] == "model" else "data set") for row in rows],
        ),
        (Column("reason", numeric=False), [Cell(row["reason"]) for row in rows]),
        (Column("why", numeric=False), [Cell(row["why"]) for row in rows]),
        (
            Column("validation accuracy"),
            [Cell(wording.fine_share(row["validation_accuracy"])) for row in rows],
        ),
    ]
    return filled(
        Table(
            "Left out of paths, clusters, summaries and tests",
            tuple(column for column, _ in columns),
            tuple(zip(*(cells for _, cells in columns), strict=True)),
        )
    )


def _who(facts: Facts) -> Iterator[_Filled]:
    models = facts.models
    yield (
        Column("model", numeric=False),
        [Cell(name, run=run or "") for name, run in models.select("name", "model_id").iter_rows()],
    )
    if facts.found is not None and facts.found.n_clusters > 1:
        clusters = models["cluster"].to_list()
        yield Column("cluster", numeric=False), [Cell(_dash(c, c), cluster=c) for c in clusters]
    if models["head_seed"].null_count() == models.height:
        return
    if models["head_seed"].equals(models["data_seed"]):
        yield Column("seed"), [Cell(_dash(seed, seed)) for seed in models["head_seed"].to_list()]
        return
    for label, name in (("head seed", "head_seed"), ("data seed", "data_seed")):
        yield Column(label), [Cell(_dash(seed, seed)) for seed in models[name].to_list()]


def _validation(facts: Facts) -> Iterator[_Filled]:
    losses, accuracies, own = (
        facts.models[f"validation_{name}"].to_list() for name in ("loss", "accuracy", "metric")
    )
    yield Column("validation loss"), [Cell(gap_text(value)) for value in losses]
    yield Column("validation accuracy"), [Cell(wording.fine_share(value)) for value in accuracies]
    metric = facts.summary["metric"]
    if metric not in (None, "accuracy"):
        cells = [Cell(wording.fine_share(value)) for value in own]
        yield Column(f"validation {wording.metric_name(metric)}"), cells


def _diagnostics(facts: Facts) -> Iterator[_Filled]:
    wholes = facts.diagnostics.filter(
        (pl.col("role") == "diagnostic") & (pl.col("subset") == "all")
    )
    for dataset in wholes["dataset"].unique(maintain_order=True).to_list()[:_MOST_DIAGNOSTICS]:
        rows = wholes.filter(pl.col("dataset") == dataset).select("model", "value")
        values = dict(rows.iter_rows())
        names = facts.models["name"].to_list()
        yield Column(dataset), [Cell(wording.fine_share(values.get(name))) for name in names]


def _distances(facts: Facts) -> Iterator[_Filled]:
    if facts.measured.is_empty():
        return
    within, others = _mean_gaps(facts)
    names = facts.models["name"].to_list()
    several = facts.found is not None and facts.found.n_clusters > 1
    label = "mean gap within" if several else "mean gap"
    yield Column(label), [Cell(gap_text(within.get(name))) for name in names]
    if several:
        yield Column("mean gap to others"), [Cell(gap_text(others.get(name))) for name in names]


def _mean_gaps(facts: Facts) -> tuple[dict[str, float], dict[str, float]]:
    """Mean gap of each model to its own cluster (all models where there is one), and to others."""
    several = facts.found is not None and facts.found.n_clusters > 1
    known = facts.measured.select(
        "model_a", "model_b", "convexity_gap", same=pl.col("same_cluster") if several else True
    )
    ends = pl.concat(
        [
            known.select(pl.col(end).alias("model"), "same", "convexity_gap")
            for end in ("model_a", "model_b")
        ]
    )
    means = ends.group_by("model", "same").agg(pl.col("convexity_gap").mean())
    within = {m: gap for m, same, gap in means.iter_rows() if same is True}
    others = {m: gap for m, same, gap in means.iter_rows() if same is False}
    return within, others


def _dash(value: object, text: object) -> str:
    return wording.MISSING if value is None else str(text)
