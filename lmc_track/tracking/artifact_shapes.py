"""The shapes of the JSON files among the artifacts of runs.

A file with another key is not of its shape: a key that was lost may be there under another name.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CoAssignments(_Exact):
    """Shares of resamples in which two models are together, row by row above the diagonal."""

    models: list[str]
    by_examples: list[float | None] | None = None
    by_models: list[float | None] | None = None


class ClustersFile(_Exact):
    """``clusters.json`` of a clustering; models by key.

    ``models`` are all that were divided, those that were set apart too; earlier files have none.
    """

    method: str
    metric: str | None
    dataset: str | None
    subset: str | None
    half: str | None
    modules: str | None
    precision: str | None
    n_models: int
    n_clusters: int
    settings: dict[str, Any]
    statistics: dict[str, Any]
    clusters: dict[str, int]
    embedding: dict[str, list[float]] | None = None
    centroid_distances: dict[str, list[float]] | None = None
    co_assignments: CoAssignments | None = None
    models: list[str] | None = None


class PrecisionRow(_Exact):
    """One row of a study's ``precision_check.json``."""

    dataset: str
    n_paths: int
    n_points: int
    loss: float
    example_loss: float
    accuracy: float
    gap: float
    fp32_gap: float


class RouteFile(_Exact):
    """One route over a plane."""

    loss: float
    barrier: float
    length: float
    x: list[float]
    y: list[float]


class PlaneFile(BaseModel):
    """``plane.json`` of a plane, as far as it is read again: routes by data set and pair."""

    routes: dict[str, dict[str, RouteFile | None]]


class CurvesFile(BaseModel):
    """``curve.json`` of a path, as far as it is read again: curves by data set and metric."""

    curves: dict[str, dict[str, list[float]]]


class ReferenceFile(BaseModel):
    """``model_reference.json`` of a registered model."""

    format: int
    folder: str | None
    repo: str | None
    revision: str | None
    files: dict[str, str]
