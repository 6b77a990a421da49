"""A study whose every number is written by hand, for checks that need exact gaps.

Losses are given per run; every example of a run has the same loss, so means, halves and subsets
are that number too. Use numbers that are exact in binary (0.25, 0.5) where equality is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import polars as pl

from lmc_track.tasks.dataset import Role, build_dataset
from lmc_track.warehouse.snapshot import PredictionFile, Snapshot
from lmc_track.warehouse.tables import (
    CLUSTERINGS,
    CLUSTERS,
    DATASETS,
    MODELS,
    PATHS,
    POINTS,
    STUDIES,
    Table,
    frame_schema,
)

TRACKING_URI = "sqlite:////handmade/mlflow.db"
_START = datetime(2026, 1, 1)
_N_EXAMPLES = 8

Pair = tuple[int, int]


def handmade_snapshot(
    folder: Path,
    ends: Sequence[float],
    inner: Mapping[Pair, Mapping[float, float]],
    *,
    alphas: Sequence[float] = (0.0, 0.5, 1.0),
    clusterings: Sequence[tuple[str, Sequence[int | None]]] = (),
    right: Mapping[int, int] | None = None,
    diagnostic: Sequence[float] | None = None,
    study: str = "handmade",
    parts: Mapping[tuple[int, int, str], Mapping[float, float]] | None = None,
) -> Snapshot:
    """Models ``m0, m1, …`` with the losses ``ends`` on ``validation``.

    ``inner[a, b]`` maps alpha to the loss there; a pair that is not in it has no path. An alpha
    outside ``alphas`` is a refined point. ``clusterings`` are methods with each model's cluster,
    the last the newest; the study's own method is ``spectral``. ``right`` is how many of the 8
    examples a model has right (all, where it does not say); their labels are 0 and 1 in turn.
    ``parts[a, b, modules]`` maps alpha to the loss where only ``modules`` moves from a to b.
    ``diagnostic`` gives the models' losses on a second set, ``probe``, which paths do not have;
    its subset ``odd`` is every second example.
    """
    maker = _Maker(folder / study, study)
    maker.dataset("validation", "validation", subsets=False)
    if diagnostic is not None:
        maker.dataset("probe", "diagnostic", subsets=True)
    for position, loss in enumerate(ends):
        n_right = (right or {}).get(position, _N_EXAMPLES)
        values = {"validation": loss}
        if diagnostic is not None:
            values["probe"] = diagnostic[position]
        maker.model(position, values, n_right)
    for a, b in combinations(range(len(ends)), 2):
        if (a, b) in inner:
            maker.path(a, b, inner[a, b], alphas)
    for (a, b, modules), losses in (parts or {}).items():
        maker.path(a, b, losses, alphas, modules)
    for made, (method, members) in enumerate(clusterings):
        maker.clustering(method, members, made)
    maker.add(
        STUDIES,
        study=study,
        study_id=f"{study}-study",
        task="agreement",
        metric="accuracy",
        label_names=["wrong", "right"],
        alphas=list(alphas),
        precision="fp32",
        primary_method="spectral",
        created=_START,
    )
    return maker.snapshot()


class _Maker:
    """Gathers rows per table and writes the files they refer to."""

    def __init__(self, folder: Path, study: str) -> None:
        self.folder, self.study = folder, study
        folder.mkdir(parents=True)
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.labels: dict[str, list[int]] = {}
        self.examples: dict[str, Path] = {}
        self.predictions: list[PredictionFile] = []

    def add(self, table: Table, **row: object) -> None:
        self.rows.setdefault(table.name, []).append(row)

    def dataset(self, name: str, role: Role, *, subsets: bool) -> None:
        labels = [k % 2 for k in range(_N_EXAMPLES)]
        data = build_dataset(
            name,
            role,
            texts={"sentence": [f"{self.study} {name} {k}" for k in range(_N_EXAMPLES)]},
            labels=labels,
            source="by hand",
            subsets=[["odd"] if k % 2 else [] for k in range(_N_EXAMPLES)] if subsets else None,
        )
        path = self.folder / f"{name}.parquet"
        data.frame.write_parquet(path)
        self.labels[name] = labels
        self.examples[data.digest] = path
        self.add(
            DATASETS,
            study=self.study,
            dataset=name,
            data_digest=data.digest,
            role=role,
            source="by hand",
            n_examples=_N_EXAMPLES,
        )

    def model(self, position: int, values: Mapping[str, float], n_right: int) -> None:
        run_id = f"{self.study}-m{position}"
        self._predict(run_id, values, n_right)
        self.add(
            MODELS,
            model_id=run_id,
            study=self.study,
            name=f"m{position}",
            position=position,
            key=run_id,
            source="finetuned",
            head_seed=position,
            data_seed=position,
            created=_START,
            seconds=1.0,
        )

    def path(
        self,
        a: int,
        b: int,
        inner: Mapping[float, float],
        grid: Sequence[float],
        modules: str = "all",
    ) -> None:
        path_id = f"{self.study}-{a}-{b}" + (f"-{modules}" if modules != "all" else "")
        self.add(
            PATHS,
            path_id=path_id,
            study=self.study,
            key=path_id,
            model_a=f"m{a}",
            model_b=f"m{b}",
            model_a_id=f"{self.study}-m{a}",
            model_b_id=f"{self.study}-m{b}",
            precision="fp32",
            modules=modules,
            l2_distance=float(a + b),
            cosine=0.5,
        )
        for alpha, loss in inner.items():
            point_id = f"{path_id}-{alpha}"
            self._predict(point_id, {"validation": loss}, _N_EXAMPLES)
            self.add(
                POINTS,
                point_id=point_id,
                path_id=path_id,
                study=self.study,
                alpha=alpha,
                grid="common" if alpha in grid else "refined",
            )

    def clustering(self, method: str, members: Sequence[int | None], made: int) -> None:
        clustering_id = f"{self.study}-clustering-{made}"
        found = [cluster for cluster in members if cluster is not None]
        self.add(
            CLUSTERINGS,
            clustering_id=clustering_id,
            study=self.study,
            method=method,
            metric="loss",
            dataset="validation",
            subset="all",
            half="discovery",
            modules="all",
            precision="fp32",
            n_models=len(found),
            n_clusters=len(set(found)),
            settings="{}",
            statistics="{}",
            created=_START + timedelta(hours=made),
        )
        for position, cluster in enumerate(members):
            if cluster is not None:
                model_id = f"{self.study}-m{position}"
                self.add(CLUSTERS, clustering_id=clustering_id, model_id=model_id, cluster=cluster)

    def _predict(self, run_id: str, values: Mapping[str, float], n_right: int) -> None:
        frames = []
        for dataset, loss in values.items():
            said = [y if k < n_right else 1 - y for k, y in enumerate(self.labels[dataset])]
            frames.append(
                pl.DataFrame(
                    {
                        "dataset": dataset,
                        "example_id": range(_N_EXAMPLES),
                        "label": self.labels[dataset],
                        "loss": pl.Series([loss] * _N_EXAMPLES, dtype=pl.Float32),
                        "logits": pl.Series(
                            [[float(y == 0), float(y == 1)] for y in said],
                            dtype=pl.List(pl.Float32),
                        ),
                    }
                )
            )
        path = self.folder / f"{run_id}.parquet"
        pl.concat(frames).write_parquet(path)
        self.predictions.append(PredictionFile(run_id, path, tuple(values), "fp32"))

    def snapshot(self) -> Snapshot:
        tables = (STUDIES, MODELS, PATHS, POINTS, DATASETS, CLUSTERINGS, CLUSTERS)
        frames = {
            table.name: pl.DataFrame(self.rows.get(table.name, []), schema=frame_schema(table))
            for table in tables
        }
        return Snapshot(
            tracking_uri=TRACKING_URI,
            examples=self.examples,
            text_columns=dict.fromkeys(self.examples, ("sentence",)),
            predictions=tuple(self.predictions),
            **frames,
        )
