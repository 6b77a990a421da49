"""Runs of what was imported: models of which only results are known, and sets of values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lmc_track.importers.naming import NamedModel
from lmc_track.tracking.keys import dataset_key
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedDataset, RecordedModel, StudyRecord
from lmc_track.tracking.tags import SOURCE_TAG


def record_models(
    record: StudyRecord, models: Sequence[tuple[RecordedModel, NamedModel]], source: str
) -> dict[str, RunEntry]:
    """Runs of ``models`` by key, begun where there are none; whoever fills these finishes them."""
    runs = {}
    for model, named in models:
        run = record.index.find("model", model.key)
        if run is None:
            run = _start_model(record, model, named, source)
        runs[model.key] = run
    return runs


def _start_model(
    record: StudyRecord, model: RecordedModel, named: NamedModel, source: str
) -> RunEntry:
    original = _storable(named.original)
    run = record.recorder.start(
        "model",
        model.key,
        model.name,
        f"{original[:200]}, from {source}. Only its results are known here, not its weights.",
        tags={SOURCE_TAG: source},
    )
    record.recorder.log(
        run,
        params={
            "name": model.name,
            "original_name": original,
            "position": model.position,
            "source": "imported",
            "step": model.step,
        },
    )
    return run


def _storable(text: str) -> str:
    """``text`` without what a database cannot hold: halves of characters, and zero bytes."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")


def record_value_sets(
    record: StudyRecord, datasets: Iterable[RecordedDataset], source: str
) -> None:
    """A run for every evaluation set of which only values are known, that has none yet."""
    for data in datasets:
        key = dataset_key(data.name, data.digest)
        if record.index.find("dataset", key) is not None:
            continue
        run = record.recorder.start(
            "dataset",
            key,
            f"data {data.name}",
            f"Evaluation set {data.name} ({data.role}): values from {source}, without examples.",
            tags={SOURCE_TAG: source},
        )
        record.recorder.log(
            run,
            params={
                "dataset": data.name,
                "role": data.role,
                "data_digest": data.digest,
                "source": source,
            },
        )
        record.recorder.finish(run)
        record.index.add(run)
