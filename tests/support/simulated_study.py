"""A made study with planted clusters, written as the record of a real one would be.

Models of one cluster are joined by flat paths, models of two clusters by paths over a bump.
Model i belongs to cluster i mod ``clusters``. Every diagnostic is solved by one cluster alone.
Losses are the cross entropy of the logits, so every number of the warehouse can be recomputed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import combinations, cycle, permutations
from pathlib import Path

import numpy as np
import polars as pl

from lmc_track.geometry.curves import convexity_gap
from lmc_track.geometry.grid import common_grid
from lmc_track.geometry.metrics import accuracy
from lmc_track.tasks.dataset import Role, build_dataset
from lmc_track.warehouse.snapshot import PredictionFile, Snapshot
from lmc_track.warehouse.tables import (
    CLUSTERINGS,
    CLUSTERS,
    CO_ASSIGNMENTS,
    DATASETS,
    MODELS,
    PATHS,
    POINTS,
    PRECISION_CHECKS,
    RECORDED,
    STUDIES,
    Table,
    frame_schema,
)
from support.simulated_planes import simulated_planes

DATASET_NAMES = ("validation", "train_sample", "main_only", "embedded_only")
TRACKING_URI = "sqlite:////simulated/mlflow.db"
_START = datetime(2026, 1, 1, 12, 0, 0)
_LABEL_NAMES = ["unacceptable", "acceptable"]
_SOLVED, _FAILED, _BUMP = 3.0, -2.0, 4.0


@dataclass(frozen=True)
class Holes:
    """What is left out: whole paths, single points, the diagnostics of models.

    Pairs are model positions, the smaller first.
    """

    paths: tuple[tuple[int, int], ...] = ()
    points: tuple[tuple[int, int, float], ...] = ()
    diagnostics: tuple[int, ...] = ()


def some_holes() -> Holes:
    """One missing path, one path that misses a point, one model without diagnostics."""
    return Holes(paths=((0, 1),), points=((1, 3, 0.5),), diagnostics=(2,))


def simulated_snapshot(
    folder: Path,
    *,
    n_models: int = 6,
    clusters: int = 2,
    n_points: int = 11,
    n_examples: int = 200,
    seed: int = 0,
    study: str = "simulated",
    datasets: Sequence[str] = DATASET_NAMES,
    holes: Holes | None = None,
    modules: Sequence[str] = (),
    refined: Sequence[float] = (),
    planes: Sequence[tuple[int, int, int]] = (),
    tracking_uri: str = TRACKING_URI,
) -> Snapshot:
    """Write Parquet files below ``folder`` and return the snapshot that refers to them.

    ``datasets`` are names; ``validation`` and ``train_sample`` have these roles, others are
    diagnostics with the subsets ``singular`` and ``plural``. ``clusters = 0`` records no
    clustering (the curves are then those of one cluster). Each of ``modules`` moves along paths
    of its own, in either direction. Every whole path also has points at the alphas ``refined``.
    Each of ``planes`` goes through the models at three positions.
    """
    maker = _Maker(folder, study, seed, n_examples, max(clusters, 1), tuple(datasets))
    missing = holes or Holes()
    alphas = common_grid(n_points)
    models = [maker.model(i, without_diagnostics=i in missing.diagnostics) for i in range(n_models)]
    for a, b in combinations(range(n_models), 2):
        if (a, b) not in missing.paths:
            skipped = {alpha for i, j, alpha in missing.points if (i, j) == (a, b)}
            inner = sorted({*alphas[1:-1], *refined} - skipped)
            maker.path(a, b, inner, grid=alphas)
    for part in modules:
        for a, b in permutations(range(n_models), 2):
            maker.path(a, b, alphas[1:], part, grid=alphas)
    clustering, members = maker.clustering(models) if clusters else ([], [])
    return Snapshot(
        tracking_uri=tracking_uri,
        studies=_frame(STUDIES, [_study_row(study, alphas, datasets, bool(clusters))]),
        models=_frame(MODELS, models),
        paths=_frame(PATHS, maker.paths),
        points=_frame(POINTS, maker.points),
        datasets=_frame(DATASETS, maker.dataset_rows),
        clusterings=_frame(CLUSTERINGS, clustering),
        clusters=_frame(CLUSTERS, members),
        co_assignments=_frame(CO_ASSIGNMENTS, _together(members)),
        precision_checks=_frame(PRECISION_CHECKS, []),
        examples=maker.example_files,
        text_columns=dict.fromkeys(maker.example_files, ("sentence",)),
        predictions=tuple(maker.predictions),
        **simulated_planes(study, models, planes, datasets),
    )


def merge(*snapshots: Snapshot) -> Snapshot:
    """Several studies of one record as one snapshot."""
    frames = {t.name: pl.concat([getattr(s, t.name) for s in snapshots]) for t in RECORDED}
    return Snapshot(
        tracking_uri=snapshots[0].tracking_uri,
        examples={d: path for s in snapshots for d, path in s.examples.items()},
        text_columns={d: names for s in snapshots for d, names in s.text_columns.items()},
        predictions=tuple(p for s in snapshots for p in s.predictions),
        **frames,
    )


class _Maker:
    """Writes the files and gathers the rows of one study."""

    def __init__(
        self,
        folder: Path,
        study: str,
        seed: int,
        n_examples: int,
        clusters: int,
        datasets: tuple[str, ...],
    ) -> None:
        self.folder = folder / study
        (self.folder / "predictions").mkdir(parents=True, exist_ok=True)
        (self.folder / "examples").mkdir(exist_ok=True)
        self.study, self.clusters, self.datasets = study, clusters, datasets
        self.diagnostics = [n for n in datasets if n not in ("validation", "train_sample")]
        self.random = np.random.default_rng(seed)
        self.paths: list[dict[str, object]] = []
        self.points: list[dict[str, object]] = []
        self.predictions: list[PredictionFile] = []
        self.dataset_rows: list[dict[str, object]] = []
        self.example_files: dict[str, Path] = {}
        self.labels: dict[str, np.ndarray] = {}
        self.held_out: dict[str, np.ndarray] = {}
        self.margins: dict[tuple[int, str], np.ndarray] = {}
        self.losses: dict[tuple[str, str], np.ndarray] = {}
        self.accuracies: dict[tuple[str, str], float] = {}
        for name in datasets:
            self._dataset(name, n_examples)

    def _dataset(self, name: str, n: int) -> None:
        labels = self.random.integers(0, 2, n)
        diagnostic = name in self.diagnostics
        role: Role = "diagnostic"
        if not diagnostic:
            role = "validation" if name == "validation" else "train_sample"
        numbers = [["singular", "plural"][i % 2] for i in range(n)]
        data = build_dataset(
            name,
            role,
            texts={"sentence": [f"{self.study} {name} sentence {i}" for i in range(n)]},
            labels=[int(label) for label in labels],
            source="simulated",
            subsets=[[number] for number in numbers] if diagnostic else None,
        )
        path = self.folder / "examples" / f"{name}.parquet"
        data.frame.write_parquet(path)
        self.labels[name] = labels
        self.held_out[name] = (data.frame["half"] == "held-out").to_numpy()
        self.example_files[data.digest] = path
        self.dataset_rows.append(
            {
                "study": self.study,
                "dataset": name,
                "data_digest": data.digest,
                "role": data.role,
                "source": data.source,
                "n_examples": n,
            }
        )

    def _solved(self, position: int, dataset: str) -> bool:
        if dataset not in self.diagnostics:
            return True
        return self.diagnostics.index(dataset) % self.clusters == position % self.clusters

    def _write(self, run_id: str, margins: dict[str, np.ndarray]) -> None:
        """Predictions whose logit of the true label exceeds the other's by ``margins``."""
        parts = []
        for dataset, margin in margins.items():
            labels = self.labels[dataset]
            logits = np.zeros((len(labels), 2), dtype=np.float32)
            logits[np.arange(len(labels)), labels] = margin / 2
            logits[np.arange(len(labels)), 1 - labels] = -margin / 2
            wide = logits.astype(np.float64)
            chosen = wide[np.arange(len(labels)), labels]
            loss = (np.log(np.exp(wide).sum(1)) - chosen).astype(np.float32)
            self.losses[run_id, dataset] = loss.astype(np.float64)
            self.accuracies[run_id, dataset] = accuracy(labels, logits.argmax(1))
            parts.append(
                pl.DataFrame(
                    {
                        "dataset": [dataset] * len(labels),
                        "example_id": np.arange(len(labels)),
                        "label": labels,
                        "loss": loss,
                        "logits": pl.Series(logits).arr.to_list(),
                    }
                )
            )
        path = self.folder / "predictions" / f"{run_id}.parquet"
        pl.concat(parts).write_parquet(path)
        self.predictions.append(PredictionFile(run_id, path, tuple(margins), "fp32"))

    def model(self, position: int, *, without_diagnostics: bool) -> dict[str, object]:
        run_id = _run_id(self.study, "model", position)
        kept = [d for d in self.datasets if not (without_diagnostics and d in self.diagnostics)]
        for dataset in self.datasets:
            centre = _SOLVED if self._solved(position, dataset) else _FAILED
            noise = self.random.normal(0, 1.2, len(self.labels[dataset]))
            self.margins[position, dataset] = centre + noise + 0.05 * position
        self._write(run_id, {d: self.margins[position, d] for d in kept})
        return {
            "model_id": run_id,
            "study": self.study,
            "name": f"seed-{position}",
            "position": position,
            "key": f"simulated {self.study} seed {position}",
            "source": "finetuned",
            "head_seed": position,
            "data_seed": position,
            "step": 300,
            "weights_digest": sha256(run_id.encode()).hexdigest(),
            "created": _START + timedelta(minutes=position),
            "seconds": 2.0 + position / 10,
        }

    def path(
        self,
        a: int,
        b: int,
        alphas: Sequence[float],
        modules: str = "all",
        *,
        grid: Sequence[float],
    ) -> None:
        kind = () if modules == "all" else (modules,)
        path_id = _run_id(self.study, "path", a, b, *kind)
        together = a % self.clusters == b % self.clusters
        height = (0.3 if together else _BUMP) * self.random.uniform(0.9, 1.1)
        for alpha in alphas:
            bump = height * 4 * alpha * (1 - alpha)
            point_id = _run_id(self.study, "point", a, b, alpha, *kind)
            self._write(
                point_id,
                {
                    d: (1 - alpha) * self.margins[a, d] + alpha * self.margins[b, d] - bump
                    for d in self.datasets
                },
            )
            self.points.append(
                {
                    "point_id": point_id,
                    "path_id": path_id,
                    "study": self.study,
                    "alpha": alpha,
                    "grid": "common" if alpha in grid else "refined",
                }
            )
        self.paths.append(
            {
                "path_id": path_id,
                "study": self.study,
                "key": " ".join(["simulated", self.study, "path", str(a), str(b), *kind]),
                "model_a": f"seed-{a}",
                "model_b": f"seed-{b}",
                "model_a_id": _run_id(self.study, "model", a),
                "model_b_id": _run_id(self.study, "model", b),
                "precision": "fp32",
                "modules": modules,
                "l2_distance": 10.0 + (0 if together else 2) + 0.01 * a + 0.001 * b,
                "cosine": 0.3 if together else 0.1,
                "created": _START + timedelta(hours=1, minutes=10 * a, seconds=b),
                "seconds": 1.5,
            }
        )

    def clustering(
        self, models: list[dict[str, object]]
    ) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        clustering_id = _run_id(self.study, "clusters")
        row = {
            "clustering_id": clustering_id,
            "study": self.study,
            "method": "verdict",
            "metric": "loss",
            "dataset": "validation",
            "subset": "all",
            "half": "discovery",
            "modules": "all",
            "precision": "fp32",
            "n_models": len(models),
            "n_clusters": self.clusters,
            "settings": json.dumps({"metric": "error", "resamples": 199, "seed": 0}),
            "statistics": json.dumps(self._statistics()),
            "created": _START + timedelta(hours=2),
        }
        members = [
            {
                "clustering_id": clustering_id,
                "model_id": model["model_id"],
                "cluster": cluster,
                "embedding": [1.0 if k == cluster else 0.01 * i for k in range(self.clusters)],
                "centroid_distances": [
                    0.01 * i if k == cluster else 1.4 for k in range(self.clusters)
                ],
            }
            for i, (model, cluster) in enumerate(
                zip(models, cycle(range(self.clusters)), strict=False)
            )
        ]
        return [row], members

    def _statistics(self) -> dict[str, object]:
        """What a verdict records, from the held-out validation gaps."""
        within, between = [], []
        points: dict[str, list[tuple[float, str]]] = {}
        for point in self.points:
            points.setdefault(str(point["path_id"]), []).append(
                (float(str(point["alpha"])), str(point["point_id"]))
            )
        for path in self.paths:
            if path["modules"] != "all":
                continue
            a, b = str(path["model_a_id"]), str(path["model_b_id"])
            curve = sorted([(0.0, a), *points.get(str(path["path_id"]), []), (1.0, b)])
            held_out = self.held_out["validation"]
            losses = [self.losses[run, "validation"][held_out].mean() for _, run in curve]
            together = path["cosine"] == 0.3
            (within if together else between).append(
                convexity_gap([alpha for alpha, _ in curve], losses)
            )
        found = self.clusters > 1
        mean_within = float(np.mean(within)) if within else None
        mean_between = float(np.mean(between)) if between else None
        return {
            "n_clusters": self.clusters,
            "silhouette": 0.9 if found else None,
            "p_value": 0.005 if found else 0.6,
            "p_values": {"exchangeable": 0.005, "normal cloud": 0.005 if found else 0.6},
            "mean_gap_within": mean_within,
            "mean_gap_between": mean_between,
            "k": max(self.clusters, 2),
            "apart": [],
            "choices": [_choice(k, k == self.clusters) for k in range(2, 5)],
            "bases": [
                _basis("error", True, 0.005, self.clusters),
                _basis("calibrated_loss", False, 0.005, self.clusters),
                _basis("loss", False, 0.02, 1),
            ],
            "stability_examples": 0.98,
            "stability_models": 0.95,
            "decision": (
                f"{self.clusters} clusters: no form of one cluster explains the gaps."
                if found
                else "One cluster: one cloud of models explains the gaps."
            ),
        }


def _choice(k: int, right: bool) -> dict[str, object]:
    """A number of clusters that was tried; the right one has by far the best silhouettes."""
    silhouette = 0.9 if right else 0.4 - k / 100
    return {
        "k": k,
        "sizes": [6 - k + 1, *[1] * (k - 1)],
        "score": silhouette - 0.25,
        "discovery_silhouette": silhouette,
        "held_out_silhouette": silhouette,
        "chosen": right,
    }


def _basis(metric: str, declared: bool, p: float, clusters: int) -> dict[str, object]:
    """What the gaps of one metric say; beside the declared one p is corrected for being three."""
    return {
        "metric": metric,
        "declared": declared,
        "n_clusters": clusters,
        "sizes": [3, 3],
        "apart": [],
        "silhouette": 0.9,
        "p_value": p,
        "p_corrected": p if declared else 3 * p,
        "mean_gap_within": 0.01,
        "mean_gap_between": 0.1,
        "ratio": 10.0,
        "agreement": 1.0,
        "decision": f"Judged by the {metric}.",
    }


def _together(members: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Models of one cluster nearly always are together in resamples, those of two hardly ever."""
    return [
        {
            "clustering_id": a["clustering_id"],
            "model_a_id": a["model_id"],
            "model_b_id": b["model_id"],
            "by_examples": 1.0 if a["cluster"] == b["cluster"] else 0.0,
            "by_models": 0.96 if a["cluster"] == b["cluster"] else 0.04,
        }
        for a, b in combinations(members, 2)
    ]


def _study_row(
    study: str, alphas: tuple[float, ...], datasets: Sequence[str], clustered: bool
) -> dict[str, object]:
    primary = next((n for n in datasets if n not in ("validation", "train_sample")), "validation")
    return {
        "study": study,
        "study_id": _run_id(study, "study"),
        "experiment_id": "1",
        "description": "A made study with planted clusters.",
        "task": "agreement",
        "metric": "accuracy",
        "label_names": _LABEL_NAMES,
        "base": "agreement",
        "base_digest": sha256(b"base").hexdigest(),
        "recipe": json.dumps({"learning_rate": 0.001, "max_steps": 300}),
        "alphas": list(alphas),
        "precision": "fp32",
        "primary_diagnostic": f"{primary}:all:accuracy",
        "primary_method": "verdict",
        "study_file": json.dumps(
            {"study": {"name": study}, "cluster": {"least_relative_gap": 0.5}}
        ),
        "versions": json.dumps({"lmc-track": "0.1.0", "git": "0" * 40}),
        "created": _START,
    }


def _run_id(*what: object) -> str:
    """32 hexadecimal digits, as MLflow's run ids."""
    return sha256(repr(what).encode()).hexdigest()[:32]


def _frame(table: Table, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frame_schema(table))
