"""The report's tables as rows of text cells; what they look like is the template's affair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lmc_track.report import wording
from lmc_track.report.cluster_effects import contrast_on, is_tested, is_unsaid, sides
from lmc_track.report.facts import Facts, Row, read_json
from lmc_track.report.palette import cluster_name
from lmc_track.report.strip_plot import diagnostic_rows


@dataclass(frozen=True)
class Column:
    """``numeric`` columns are aligned on the right with figures of one width."""

    label: str
    numeric: bool = True


@dataclass(frozen=True)
class Cell:
    """``cluster`` puts the cluster's mark before the text; ``note`` is set small after it;
    ``run`` is the id of the MLflow run that the text names."""

    text: str
    note: str = ""
    cluster: int | None = None
    code: bool = False
    run: str = ""


@dataclass(frozen=True)
class Table:
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def runs(self) -> list[str]:
        """The id of the MLflow run of each row; empty where no row names one."""
        ids = [next((cell.run for cell in row if cell.run), "") for row in self.rows]
        return ids if any(ids) else []


def filled(table: Table) -> Table:
    """``table`` without the columns in which no cell says anything: imported models have no gaps
    before there are paths, no seeds, no weights."""
    kept = [
        k
        for k in range(len(table.columns))
        if not table.rows or any(row[k].text != wording.MISSING for row in table.rows)
    ]
    return Table(
        table.caption,
        tuple(table.columns[k] for k in kept),
        tuple(tuple(row[k] for k in kept) for row in table.rows),
    )


def cluster_cell(cluster: int | None) -> Cell:
    """A cluster by its number, with its mark."""
    return (
        Cell(wording.MISSING) if cluster is None else Cell(cluster_name(cluster), cluster=cluster)
    )


def cluster_table(facts: Facts) -> Table:
    """Sizes, gaps and validation measures of the clusters."""
    columns = (
        Column("cluster", numeric=False), Column("models"), Column("mean gap within, nats"),
        Column("largest within"), Column("mean gap to others"), Column("validation loss"),
        Column("validation accuracy"), Column("members", numeric=False),
    )  # fmt: skip
    rows = tuple(
        (
            cluster_cell(row["cluster"]),
            Cell(f"{row['n_models']:,}"),
            Cell(gap_text(row["mean_gap_within"])),
            Cell(gap_text(row["max_gap_within"])),
            Cell(gap_text(row["mean_gap_to_others"])),
            Cell(gap_text(row["mean_validation_loss"])),
            Cell(wording.fine_share(row["mean_validation_accuracy"])),
            Cell(wording.listing(row["models"], limit=12)),
        )
        for row in facts.clusters.iter_rows(named=True)
        if row["cluster"] is not None
    )
    return filled(Table(f"Clusters, {half_name(facts)} of validation", columns, rows))


def diagnostic_table(facts: Facts) -> Table:
    """The mean per cluster on every data set, with the range over its models."""
    metric = wording.metric_name(facts.primary.metric)
    several = facts.models.height > 1
    caption = f"Mean {metric} (lowest to highest model)" if several else wording.capital(metric)
    return _diagnostics(facts, diagnostic_rows(facts)[0], caption)


def subset_table(facts: Facts) -> Table | None:
    """The same for the subsets that the first table has no room for."""
    shown, left_out = diagnostic_rows(facts)
    if not left_out:
        return None
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    rows = list(known.select("dataset", "subset").unique(maintain_order=True).iter_rows())
    rest = [row for row in rows if row not in set(shown)]
    metric = wording.metric_name(facts.primary.metric)
    return _diagnostics(facts, rest, f"Mean {metric} on subsets (lowest to highest model)")


def _diagnostics(facts: Facts, wanted: Sequence[tuple[str, str]], caption: str) -> Table:
    frame = facts.cluster_diagnostics
    clusters = sorted(set(frame["cluster"].to_list()), key=lambda c: (c is None, c))
    cells = {
        (row["dataset"], row["subset"], row["cluster"]): row for row in frame.iter_rows(named=True)
    }
    n_examples = {
        (dataset, subset): n
        for dataset, subset, n in facts.diagnostics.select("dataset", "subset", "n_examples")
        .drop_nulls()
        .iter_rows()
    }
    several = len(clusters) > 1
    heads = [Column(_head(c, several)) for c in clusters]
    counted = (Column("examples"),) if n_examples else ()
    columns = (Column("data set", numeric=False), *counted, *heads)
    columns += (Column("largest difference"),) if several else ()
    columns += _evidence_heads(facts)
    rows = []
    for key in wanted:
        found = [cells.get((*key, cluster)) for cluster in clusters]
        row = [Cell(wording.subset_name(*key))]
        row += [Cell(whole(n_examples.get(key)))] if n_examples else []
        for cell in found:
            span = (
                f"{wording.share(cell['min'])}–{wording.share(cell['max'])}"
                if cell and cell["n_models"] > 1
                else ""
            )
            row.append(Cell(wording.fine_share(cell["mean"]) if cell else wording.MISSING, span))
        if several:
            row.append(Cell(wording.fine_share(next((c["spread"] for c in found if c), None))))
        row += _evidence_cells(facts, *key)
        rows.append(tuple(row))
    how = "; p by permutation of the models, corrected for all rows" if is_tested(facts) else ""
    return Table(f"{caption}, {half_name(facts)}{how}", columns, tuple(rows))


def _evidence_heads(facts: Facts) -> tuple[Column, ...]:
    if not is_tested(facts):
        return ()
    two = facts.found is not None and facts.found.n_clusters == 2
    auc = f"AUC, {cluster_name(1)}" if two else "AUC, cluster most apart"
    return (
        Column(auc), Column("models nearer to another mean"), Column("corrected p"),
        Column("corrected p, given validation"),
    )  # fmt: skip


def _evidence_cells(facts: Facts, dataset: str, subset: str) -> list[Cell]:
    """What tells the clusters apart in a row; p is replaced where models are too few for one."""
    if not is_tested(facts):
        return []
    row = contrast_on(facts, dataset, subset)
    if row is None:
        return [Cell(wording.MISSING)] * 4
    others = sides(facts, dataset, subset)
    elsewhere = Cell(
        wording.MISSING if others is None else f"{len(others.exceptions):,} of {others.n_models:,}"
    )
    two = facts.found is not None and facts.found.n_clusters == 2
    auc = Cell(wording.share(row["auc"]), "" if two else cluster_name(row["cluster"]))
    if is_unsaid(row):
        return [auc, elsewhere, Cell("cannot be said"), Cell("cannot be said")]
    p_values = (row["p_corrected"], row["adjusted_p_corrected"])
    return [auc, elsewhere, *(Cell(wording.bare_p(p)) for p in p_values)]


def _head(cluster: int | None, several: bool) -> str:
    return cluster_name(cluster) if several else "models"


def clustering_table(facts: Facts, alike: Mapping[str, tuple[int, int]]) -> Table:
    """The recorded clusterings; ``alike`` counts pairs grouped as in the reported one, by id."""
    columns = (
        Column("method", numeric=False), Column("clusters"), Column("models"),
        Column("examples", numeric=False), Column("silhouette, −1 to 1"), Column("p"),
        Column("pairs grouped alike"), Column("what it says", numeric=False),
    )  # fmt: skip
    rows = []
    for row in facts.clusterings.iter_rows(named=True):
        statistics = read_json(row["statistics"])
        chosen = facts.found is not None and facts.found.clustering_id == row["clustering_id"]
        same, of = alike.get(row["clustering_id"], (0, 0))
        agreement = "reported above" if chosen else f"{same:,} of {of:,}" if of else wording.MISSING
        rows.append(
            (
                Cell(row["method"]),
                Cell(f"{row['n_clusters']}"),
                Cell(f"{row['n_models']:,}"),
                Cell(row["half"] or wording.MISSING),
                Cell(wording.share(statistics.get("silhouette"))),
                Cell(wording.bare_p(statistics.get("p_value"))),
                Cell(agreement),
                Cell(str(statistics.get("decision") or "")),
            )
        )
    return Table("Clusterings of this study, newest first", columns, tuple(rows))


def basis_table(bases: Sequence[Row]) -> Table:
    """The verdict by each metric of the gaps, the declared one first: rows of ``cluster_bases``."""
    columns = (
        Column("gaps of", numeric=False), Column("clusters"), Column("best division"),
        Column("set apart", numeric=False), Column("silhouette (−1 to 1)"), Column("p"),
        Column("p for three"), Column("mean gap within"), Column("mean gap between"),
        Column("times"), Column("agreement (1: the same)"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(wording.metric_name(row["metric"]), note="declared" if row["declared"] else ""),
            Cell(f"{row['n_clusters']}"),
            Cell(" + ".join(str(size) for size in row["best_division"] or ()) or wording.MISSING),
            Cell(", ".join(row["apart"] or ()) or "none"),
            Cell(wording.share(row["silhouette"])),
            Cell(wording.bare_p(row["p_value"])),
            Cell(wording.bare_p(row["p_corrected"])),
            *(
                Cell((wording.points if row["metric"] == "error" else wording.nats)(row[gap]))
                for gap in ("mean_gap_within", "mean_gap_between")
            ),
            Cell(wording.number(row["ratio"], 2)),
            Cell(wording.share(row["agreement"])),
        )
        for row in bases
    )
    return Table("The verdict by three metrics of the gaps, held-out examples", columns, rows)


def dataset_table(facts: Facts) -> Table:
    """Evaluation sets, their halves and where they come from."""
    columns = (
        Column("data set", numeric=False), Column("role", numeric=False), Column("examples"),
        Column("discovery"), Column("held out"), Column("subsets"),
        Column("digest", numeric=False), Column("source", numeric=False),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(row["dataset"]),
            Cell(row["role"].replace("_", " ")),
            Cell(whole(row["n_examples"])),
            Cell(whole(row["n_discovery"])),
            Cell(whole(row["n_held_out"])),
            Cell(f"{len(row['subsets'] or [])}"),
            Cell((row["data_digest"] or wording.MISSING)[:12], code=True),
            Cell(row["source"] or wording.MISSING),
        )
        for row in facts.datasets.iter_rows(named=True)
    )
    return filled(Table("Evaluation sets", columns, rows))


def hole_table(facts: Facts, most: int = 50) -> Table:
    """What is missing, one line each."""
    columns = (Column("what is missing", numeric=False), Column("where", numeric=False),
               Column("data set", numeric=False), Column("number"))  # fmt: skip
    kinds = {
        "pair": "path of a pair",
        "points": "points of a path",
        "evaluation": "evaluation",
        "loss": "loss that is not finite",
    }
    rows = tuple(
        (
            Cell(kinds.get(row["kind"], row["kind"])),
            Cell(wording.listing([n for n in (row["model_a"], row["model_b"]) if n])),
            Cell(row["dataset"] or "all"),
            Cell(whole(row["n_missing"])),
        )
        for row in facts.holes.head(most).iter_rows(named=True)
    )
    more = facts.holes.height - len(rows)
    return Table(f"Missing results{f', the first {most:,}' if more > 0 else ''}", columns, rows)


def half_name(facts: Facts) -> str:
    """The reported half, as captions name it."""
    return "held-out examples" if facts.half == "held-out" else "all examples"


def gap_text(value: float | None) -> str:
    """Nats in a column: four decimals, so that the points stand under each other."""
    return wording.MISSING if value is None else f"{value:.4f}"


def whole(value: int | None) -> str:
    return wording.MISSING if value is None else f"{value:,}"
