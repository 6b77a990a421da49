"""Fills the tables that compare clusters, axes and gaps with what models score, at every ingest.

Memberships were made from discovery gaps of validation. Values and gaps here are those of
held-out examples, or of all where results have no halves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from lmc_track.analysis.effects import axis_effects, cluster_axes, cluster_effects
from lmc_track.analysis.mantel import mantel
from lmc_track.analysis.permutation import Floats
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.matrices import gap_matrix
from lmc_track.warehouse.model_values import ModelValues, memberships, model_values
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import (
    AXIS_EFFECTS,
    CLUSTER_EFFECTS,
    CLUSTERINGS,
    DISTANCE_TESTS,
    STUDIES,
    Table,
    frame_schema,
)


def _of_clusters(values: ModelValues, members: pl.DataFrame) -> Iterator[pl.DataFrame]:
    labels = members["cluster"].to_numpy().astype(np.int64)
    for cluster, effect in enumerate(cluster_effects(values.matrix, labels, values.validation)):
        raw, adjusted = effect.raw, effect.adjusted
        yield values.frame().with_columns(
            cluster=cluster,
            n_in=raw.n_in,
            n_out=raw.n_out,
            mean_in=raw.mean_in,
            mean_out=raw.mean_out,
            difference=raw.difference,
            auc=raw.auc,
            r=raw.r,
            adjusted_difference=adjusted.difference,
            adjusted_auc=adjusted.auc,
            adjusted_r=adjusted.r,
            p_value=effect.p_value,
            p_corrected=effect.p_corrected,
            adjusted_p_value=effect.adjusted_p_value,
            adjusted_p_corrected=effect.adjusted_p_corrected,
            smallest_p=effect.smallest_p,
            n_deals=effect.n_deals,
            is_exact=effect.exact,
        )


def _of_axes(values: ModelValues, members: pl.DataFrame) -> Iterator[pl.DataFrame]:
    k = int(members["cluster"].n_unique())
    column = "centroid_distances" if k > 1 else "embedding"
    width = max(k, 2)
    rows = members[column].to_list()
    # Methods without an embedding, and embeddings of too few coordinates, have no axis.
    if any(row is None or len(row) < width for row in rows):
        return
    places = np.array([row[:width] for row in rows], dtype=np.float64)
    if not np.isfinite(places).all():
        return
    axes, clusters = (places[:, 1:], [0]) if k == 1 else _towards(places)
    effects = axis_effects(values.matrix, axes, values.validation)
    for cluster, effect in zip(clusters, effects, strict=True):
        yield values.frame().with_columns(
            cluster=cluster,
            axis=pl.lit(column),
            n_models=effect.n_models,
            pearson=effect.pearson,
            spearman=effect.spearman,
            adjusted_pearson=effect.adjusted_pearson,
            p_value=effect.p_value,
            p_corrected=effect.p_corrected,
            spearman_p_value=effect.spearman_p_value,
            spearman_p_corrected=effect.spearman_p_corrected,
            adjusted_p_value=effect.adjusted_p_value,
            adjusted_p_corrected=effect.adjusted_p_corrected,
            smallest_p=effect.smallest_p,
            n_deals=effect.n_deals,
            is_exact=effect.exact,
        )


def _towards(centroid_distances: Floats) -> tuple[Floats, list[int]]:
    axes = cluster_axes(centroid_distances)
    return axes, [1] if axes.shape[1] == 1 else list(range(axes.shape[1]))


def _distances(moment: Moment, study: str) -> Iterator[pl.DataFrame]:
    """Gaps against every diagnostic of each metric, and once against the weights' distance."""
    metrics = model_values(moment, study)
    if "validation" not in moment.query("datasets", study=study)["dataset"] or not metrics:
        return
    half = metrics[0].half
    gaps = gap_matrix(moment, study, half=half).matrix
    if not np.isfinite(gaps[np.triu_indices(len(gaps), 1)]).any():
        return
    for values in metrics:
        apart = np.abs(values.matrix[:, :, None] - values.matrix[:, None, :])
        yield _mantel_rows(values.frame(), gaps, apart, "diagnostic")
    frame = pl.DataFrame(
        {"dataset": "validation", "subset": "all", "half": half, "metric": "loss"}
    ).with_columns(is_primary=False)
    lengths = gap_matrix(moment, study, half=half, measure="l2_distance").matrix
    weights = _mantel_rows(frame, gaps, lengths[None], "l2_distance")
    yield weights.with_columns(p_corrected=pl.lit(None, pl.Float64))


def _mantel_rows(frame: pl.DataFrame, gaps: Floats, others: Floats, kind: str) -> pl.DataFrame:
    found = mantel(gaps, others)
    return frame.with_columns(
        distance=pl.lit(kind),
        n_pairs=found.n_pairs,
        r=found.r,
        p_value=found.p_value,
        p_corrected=found.p_corrected,
        smallest_p=found.smallest_p,
    )


_Effects = Callable[[ModelValues, pl.DataFrame], Iterator[pl.DataFrame]]


def _each_clustering(moment: Moment, effects: _Effects) -> Iterator[pl.DataFrame]:
    for study in moment.studies():
        clusterings = memberships(moment, study)
        metrics = model_values(moment, study) if clusterings else []
        for members in clusterings:
            for values in metrics:
                of_members = values.of_models(members["model_id"].to_list())
                for frame in effects(of_members, members):
                    yield frame.with_columns(clustering_id=pl.lit(members["clustering_id"][0]))


def _each_study(moment: Moment) -> Iterator[pl.DataFrame]:
    for study in moment.studies():
        for frame in _distances(moment, study):
            yield frame.with_columns(study=pl.lit(study))


def _rows(table: Table, frames: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """All ``frames`` with the columns and types of ``table``, NULL for NaN."""
    schema = frame_schema(table)
    columns = [pl.col(name).cast(type_) for name, type_ in schema.items()]
    # Matrices this small are multiplied faster by one thread than by several.
    with threadpool_limits(1):
        found = [frame.fill_nan(None).select(columns) for frame in frames]
    return pl.concat(found) if found else pl.DataFrame(schema=schema)


CLUSTER_STATISTICS = (
    Derivation(
        CLUSTER_EFFECTS,
        lambda moment: _rows(CLUSTER_EFFECTS, _each_clustering(moment, _of_clusters)),
        CLUSTERINGS,
    ),
    Derivation(
        AXIS_EFFECTS,
        lambda moment: _rows(AXIS_EFFECTS, _each_clustering(moment, _of_axes)),
        CLUSTERINGS,
    ),
    Derivation(DISTANCE_TESTS, lambda moment: _rows(DISTANCE_TESTS, _each_study(moment)), STUDIES),
)
