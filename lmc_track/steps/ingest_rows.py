"""The rows of results, read from the record of a study."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from lmc_track.steps.cluster_records import read_clusters
from lmc_track.steps.damage import Damage
from lmc_track.steps.ingest_planes import recorded_planes
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.projection import Projection
from lmc_track.tracking.artifact_reading import DamagedArtifactError, damaged, read_json
from lmc_track.tracking.artifact_shapes import PrecisionRow
from lmc_track.tracking.keys import path_key
from lmc_track.tracking.left_out import counting_facts, failure_of, left_out
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.stamps import stamped
from lmc_track.tracking.studies import (
    FAILED,
    LeftOut,
    RecordedDataset,
    RecordedModel,
    StudyRecord,
    sound_artifact,
)
from lmc_track.tracking.tags import GRID_TAG, PARENT_TAG, PRECISION_TAG, SOURCE_TAG, read_slot
from lmc_track.tracking.values import Value, is_values_file, read_values
from lmc_track.warehouse.snapshot import DamagedFile, PredictionFile
from lmc_track.warehouse.tables import PATHS, PLANE_POINTS, POINTS, RECORDED, Table, frame_schema

_Rows = list[dict[str, Any]]


class RecordReader:
    """Collects the rows of studies; only finished runs are taken."""

    def __init__(self, there: frozenset[str] = frozenset()) -> None:
        """``there``: digests of the evaluation sets whose examples need not be looked at."""
        self._there = there
        self._rows: dict[str, _Rows] = {table.name: [] for table in RECORDED}
        self.examples: dict[str, Path] = {}
        self.text_columns: dict[str, tuple[str, ...]] = {}
        self.predictions: list[PredictionFile] = []
        self._whole: dict[str, list[pl.DataFrame]] = {table.name: [] for table in RECORDED}
        self._kept: frozenset[str] = frozenset()
        self._predicted: dict[str, tuple[str, RunEntry]] = {}
        self.damaged: list[Damage] = []
        # Studies of which predictions are left out for want of the examples that they are on.
        self.incomplete: set[str] = set()

    def frames(self) -> dict[str, pl.DataFrame]:
        """What was read, by table."""
        return {table.name: self._frame(table) for table in RECORDED}

    def _frame(self, table: Table) -> pl.DataFrame:
        frame = pl.DataFrame(self._rows[table.name], schema=frame_schema(table), orient="row")
        return pl.concat([frame, *self._whole[table.name]]).sort(table.key)

    def read(
        self,
        record: StudyRecord,
        kept: frozenset[str],
        paths: pl.DataFrame,
        points: pl.DataFrame,
    ) -> None:
        """Take in a study.

        Predictions and values of ``kept`` are not asked for. ``paths``, between models of
        ``kept``, and ``points`` are rows of runs that are not among the study's; those that do
        not count are left out.
        """
        self._kept = kept
        if record.damage is not None:
            self.damaged.append(Damage.of(record.facts.name, record.run, record.damage))
        out = left_out(record)
        self._left_out(record, out)
        names = {one.name for one in out if one.kind == "model" and one.reason == FAILED}
        failed = [model for model in record.facts.models if model.name in names]
        record = replace(record, facts=counting_facts(record.facts, out))
        self._study(record)
        self._precision_checks(record)
        self._datasets(record)
        models = self._models(record)
        for model in failed:  # single models are looked at all the same
            if (run := record.index.find("model", model.key)) is not None:
                self._model(record, model, run, FAILED)
        counting = self._paths(record, models, paths)
        self._points(record, counting)
        of_counting = points.filter(pl.col("path_id").is_in(list(counting)))
        self._whole[POINTS.name].append(of_counting)
        self._clusterings(record, models)
        for run, read in recorded_planes(record, models):
            with self._leaving_out(record, run):
                row, grid = read()
                self._rows["planes"].append(row)
                self._whole[PLANE_POINTS.name].append(grid)

    def damage_of(self, file: DamagedFile) -> Damage:
        """What the damaged file of predictions is of."""
        study, run = self._predicted[file.file.run_id]
        return Damage.at(study, run, file.file.path, file.why)

    @contextmanager
    def _leaving_out(self, record: StudyRecord, run: RunEntry) -> Iterator[None]:
        """What is read inside is left out where an artifact of ``run`` is damaged."""
        try:
            yield
        except DamagedArtifactError as error:
            self.damaged.append(Damage.of(record.facts.name, run, error))

    def _study(self, record: StudyRecord) -> None:
        facts = record.facts
        self._rows["studies"].append(
            {
                "study": facts.name,
                "study_id": record.run.run_id,
                "experiment_id": record.experiment_id,
                "description": record.description,
                "task": facts.identity["task"]["name"],
                "metric": facts.metric,
                "label_names": list(facts.label_names),
                "base": facts.base,
                "base_digest": facts.identity["base_digest"],
                "recipe": json.dumps(facts.identity.get("finetune") or {}, sort_keys=True),
                "alphas": list(facts.alphas),
                "precision": facts.precision,
                "primary_diagnostic": facts.primary_diagnostic,
                "primary_method": facts.primary_method,
                "study_file": json.dumps(facts.file, sort_keys=True),
                "versions": record.run.tags["lmc.versions"],
                "created": _time(record.run.start_time),
            }
        )

    def _precision_checks(self, record: StudyRecord) -> None:
        name = record.run.tags.get(PRECISION_TAG)
        if name is None:
            return
        run = record.run
        with self._leaving_out(record, run):
            file = record.artifacts.get(run.run_id, run.artifact_uri, name, immutable=False)
            self._rows["precision_checks"] += [
                {"study": record.facts.name, **row.model_dump()}
                for row in read_json(run, file, list[PrecisionRow])
            ]

    def _datasets(self, record: StudyRecord) -> None:
        wanted = {data.name: data for data in record.facts.datasets}
        for run in record.index.all("dataset"):
            data = wanted.get(run.params["dataset"])
            if data is None or run.params["data_digest"] != data.digest:
                continue
            self._dataset(record, run, data)

    def _dataset(self, record: StudyRecord, run: RunEntry, data: RecordedDataset) -> None:
        values_only = "n_examples" not in run.params
        try:
            if not values_only:
                file = sound_artifact(record, run, "examples.parquet")
                if data.digest not in self._there:
                    _check_examples(run, file)
                self.examples[data.digest] = file
                self.text_columns[data.digest] = tuple(run.params["text_columns"].split())
        except DamagedArtifactError as error:
            self.damaged.append(Damage.of(record.facts.name, run, error))
            if data.digest not in self._there:  # nor are they in the results already
                self.incomplete.add(record.facts.name)
                return
        self._rows["datasets"].append(
            {
                "study": record.facts.name,
                "dataset": data.name,
                "data_digest": data.digest,
                "role": data.role,
                "source": run.params["source"],
                "n_examples": None if values_only else int(run.params["n_examples"]),
                "values_only": values_only,
                **_labels_and_draw(record, run),
            }
        )

    def _left_out(self, record: StudyRecord, out: Sequence[LeftOut]) -> None:
        models = {model.name: model for model in record.facts.models}
        for one in out:
            model = models[one.name] if one.kind == "model" else None
            run = record.index.find("model", model.key) if model else None
            self._rows["left_out"].append(
                {
                    "study": record.facts.name,
                    **asdict(one),
                    "position": model.position if model else None,
                    "model_id": run.run_id if run else None,
                    "checkpoint_of": model.checkpoint_of if model else None,
                }
            )

    def _models(self, record: StudyRecord) -> dict[str, RunEntry]:
        """Rows of the models that count; returns runs by key."""
        found: dict[str, RunEntry] = {}
        for model in record.facts.models:
            run = record.index.find("model", model.key)
            if run is not None:
                found[model.key] = run
                self._model(record, model, run, None)
        return found

    def _model(
        self, record: StudyRecord, model: RecordedModel, run: RunEntry, left_out: str | None
    ) -> None:
        self._rows["models"].append(
            {
                "model_id": run.run_id,
                "study": record.facts.name,
                "name": model.name,
                "position": model.position,
                "key": model.key,
                "source": run.params["source"],
                "head_seed": model.head_seed,
                "data_seed": model.data_seed,
                "step": int(run.params["step"]) if "step" in run.params else model.step,
                "weights_digest": run.params.get("weights_digest"),
                "checkpoint_of": model.checkpoint_of,
                "origin": run.params.get("origin"),
                "created": _time(run.start_time),
                "seconds": _seconds(run),
                "failed": failure_of(run),
                "left_out": left_out,
            }
        )
        self._evaluations(record, run, record.facts.precision)

    def _paths(
        self, record: StudyRecord, models: dict[str, RunEntry], known: pl.DataFrame
    ) -> set[str]:
        """Rows of the paths between models that count, ``known`` ones too; returns their ids.

        A path says by its key which models it joins. The run of a model may be another one by
        now, as long as it has the same weights.
        """
        runs = record.index.all("path")
        ends_of = {
            path_key(a, b, precision, modules): (models[a], models[b])
            for precision, modules in {
                *((run.params["precision"], run.params["modules"]) for run in runs),
                *known.select("precision", "modules").unique().iter_rows(),
            }
            for a, b in (itertools.combinations if modules == "all" else itertools.permutations)(
                models, 2
            )
        }
        known = known.filter(pl.col("key").is_in(list(ends_of)))
        self._whole[PATHS.name].append(known)
        found = set(known["path_id"])
        for run in runs:
            ends = ends_of.get(run.key)
            if ends is None or any(
                _other_weights(run.params.get(f"weights_digest_{side}"), model)
                for side, model in zip("ab", ends, strict=True)
            ):
                continue
            found.add(run.run_id)
            self._rows[PATHS.name].append(
                {
                    "path_id": run.run_id,
                    "study": record.facts.name,
                    "key": run.key,
                    "model_a": run.params["model_a"],
                    "model_b": run.params["model_b"],
                    "model_a_id": ends[0].run_id,
                    "model_b_id": ends[1].run_id,
                    "precision": run.params["precision"],
                    "modules": run.params["modules"],
                    "l2_distance": run.metrics.get("l2_distance"),
                    "cosine": run.metrics.get("cosine"),
                    "created": _time(run.start_time),
                    "seconds": _seconds(run),
                }
            )
        return found

    def _points(self, record: StudyRecord, paths: set[str]) -> None:
        for run in record.index.all("point"):
            path_id = run.tags[PARENT_TAG]
            if path_id not in paths:
                continue
            self._rows[POINTS.name].append(
                {
                    "point_id": run.run_id,
                    "path_id": path_id,
                    "study": record.facts.name,
                    "alpha": float(run.params["alpha"]),
                    "grid": run.tags[GRID_TAG],
                }
            )
            self._evaluations(record, run, run.params["precision"])

    def _evaluations(self, record: StudyRecord, run: RunEntry, own_precision: str) -> None:
        """The prediction files of a run, and which data sets in them count; imported values."""
        if run.run_id in self._kept:
            return
        encodings = {data.name: data.encoding for data in record.facts.datasets}
        passes: dict[tuple[str, str], list[str]] = {}
        losses: dict[tuple[str, str], float] = {}
        for slot, (digest, file) in run.evaluated().items():
            dataset, precision = read_slot(slot, own_precision)
            if encodings.get(dataset) == digest:
                passes.setdefault((file, precision), []).append(dataset)
                if f"loss/{slot}" in run.metrics:
                    losses[dataset, precision] = run.metrics[f"loss/{slot}"]
        stamps = stamped(run)
        self._predicted[run.run_id] = record.facts.name, run
        for (file, precision), datasets in sorted(passes.items()):
            with self._leaving_out(record, run):
                if is_values_file(file):
                    path = sound_artifact(record, run, file)
                    self._values(run, precision, read_values(run, path, datasets))
                    continue
                # Files within reach are compared with their digests while they are read.
                near = record.recorder.store.folder_of(run.artifact_uri) is not None
                path = (
                    record.artifacts.get(run.run_id, run.artifact_uri, file)
                    if near
                    else sound_artifact(record, run, file)
                )
                self.predictions.append(
                    PredictionFile(
                        run.run_id,
                        path,
                        tuple(sorted(datasets)),
                        precision,
                        {d: losses[d, precision] for d in datasets if (d, precision) in losses},
                        stamps[file].sha256 if file in stamps else None,
                    )
                )
        for slot, (digest, metrics) in run.measured().items():
            dataset, precision = read_slot(slot, own_precision)
            if encodings.get(dataset) == digest:
                values = [Value(dataset, "all", metric, value) for metric, value in metrics.items()]
                self._values(run, precision, values)

    def _values(self, run: RunEntry, precision: str, values: Iterable[Value]) -> None:
        self._rows["imported_values"] += [
            {"run_id": run.run_id, "precision": precision, **asdict(value)} for value in values
        ]

    def _clusterings(self, record: StudyRecord, models: dict[str, RunEntry]) -> None:
        for run in record.index.all("clusters"):
            with self._leaving_out(record, run):
                self._clustering(record, run, models)

    def _clustering(self, record: StudyRecord, run: RunEntry, models: dict[str, RunEntry]) -> None:
        content = read_clusters(record, run)
        pairs = content.co_assignments
        divided = {*content.clusters, *(pairs.models if pairs else ()), *(content.models or ())}
        if not divided <= models.keys():
            return
        told = content.model_dump(
            exclude={"models", "clusters", "embedding", "centroid_distances", "co_assignments"}
        )
        self._rows["clusterings"].append(
            {
                "clustering_id": run.run_id,
                "study": record.facts.name,
                "created": _time(run.start_time),
                **told,
                "settings": json.dumps(content.settings, sort_keys=True),
                "statistics": json.dumps(content.statistics, sort_keys=True),
            }
        )
        self._rows["clusters"] += [
            {
                "clustering_id": run.run_id,
                "model_id": models[key].run_id,
                "cluster": cluster,
                "embedding": (content.embedding or {}).get(key),
                "centroid_distances": (content.centroid_distances or {}).get(key),
            }
            for key, cluster in content.clusters.items()
        ]
        if pairs is not None:
            ids = [models[key].run_id for key in pairs.models]
            self._rows["co_assignments"] += _co_assignments(
                run.run_id, ids, pairs.model_dump(exclude={"models"}, exclude_none=True)
            )


def _check_examples(run: RunEntry, file: Path) -> None:
    """Refuse examples that are not those that were recorded."""
    if "n_source" not in run.params:  # an older record, which does not tell all that a digest is of
        return
    groups = run.params.get("projection_groups")
    projection = None
    if groups is not None:
        projection = Projection(
            run.params["projection"],  # type: ignore[arg-type]
            tuple(json.loads(run.params["label_names"])),
            tuple(tuple(group) for group in json.loads(groups)),
        )
    columns = tuple(run.params["text_columns"].split())
    try:
        frame = pl.read_parquet(file)
        data = Dataset(run.params["dataset"], "diagnostic", frame, columns, "", projection)
        found = data.digest
    except (pl.exceptions.PolarsError, OSError) as error:
        raise damaged(run, file, error) from error
    if found != run.params["data_digest"]:
        raise damaged(run, file, "the examples are not those of its digest")


def _labels_and_draw(record: StudyRecord, run: RunEntry) -> dict[str, Any]:
    """What is told of a data set's labels and of how it was drawn; older records do not tell."""
    given = {
        name: json.loads(run.params[name]) if name in run.params else None
        for name in ("label_names", "projection_groups")
    }
    return {
        "label_names": given["label_names"] or list(record.facts.label_names),
        "projection": run.params.get("projection"),
        "projection_groups": given["projection_groups"],
        "drawn": run.params.get("drawn"),
        "n_source": int(run.params["n_source"]) if "n_source" in run.params else None,
    }


def _co_assignments(
    clustering_id: str, model_ids: list[str], shares: dict[str, list[float | None]]
) -> _Rows:
    """One row a pair of ``model_ids``, whose ``shares`` come row by row above the diagonal."""
    return [
        {
            "clustering_id": clustering_id,
            "model_a_id": a,
            "model_b_id": b,
            **{name: values[number] for name, values in shares.items()},
        }
        for number, (a, b) in enumerate(itertools.combinations(model_ids, 2))
    ]


def _other_weights(told: str | None, model: RunEntry) -> bool:
    """Whether a path says that it was measured with other weights; an imported one says nothing."""
    return told is not None and told != model.params.get("weights_digest")


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def _seconds(run: RunEntry) -> float | None:
    """What a run took; of imported results that is not known."""
    if run.end_time is None or SOURCE_TAG in run.tags:
        return None
    return (run.end_time - run.start_time) / 1000
