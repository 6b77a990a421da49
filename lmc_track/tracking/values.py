"""Numbers of a model that came without predictions: a file of the run, read again at ingest.

Knows how the file looks and which tags make it count. It does not know where numbers come from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from lmc_track.errors import InputError
from lmc_track.tracking.artifact_reading import read_table
from lmc_track.tracking.keys import digest
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import EVAL_TAG, FILE_TAG

_IMPORT_AGAIN = "Restore it, or delete the run in MLflow and import the results again."
_FOLDER = "values"
_SCHEMA = {
    "dataset": pl.String,
    "subset": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "n_examples": pl.Int64,
}


@dataclass(frozen=True)
class Value:
    """One number: loss in nats, otherwise a fraction; of all examples of the subset."""

    dataset: str
    subset: str
    metric: str
    value: float
    n_examples: int | None = None

    @property
    def what(self) -> tuple[str, str, str]:
        return self.dataset, self.subset, self.metric


def is_values_file(artifact: str) -> bool:
    """Whether an evaluation's artifact holds values, not predictions."""
    return artifact.startswith(f"{_FOLDER}/")


def read_values(run: RunEntry, file: Path, datasets: Collection[str]) -> list[Value]:
    """The values in ``file`` of the data sets that count."""
    frame = read_table(run, file, _SCHEMA, _IMPORT_AGAIN).filter(
        pl.col("dataset").is_in(list(datasets))
    )
    return [Value(**row) for row in frame.iter_rows(named=True)]


def recorded_values(record: StudyRecord, run: RunEntry) -> dict[tuple[str, str, str], Value]:
    """The values that ``run`` has, by data set, subset and metric."""
    files: dict[str, list[str]] = {}
    for name, (_, file) in run.evaluated().items():
        if is_values_file(file):
            files.setdefault(file, []).append(name)
    return {
        value.what: value
        for file, names in files.items()
        for value in read_values(
            run, record.artifacts.get(run.run_id, run.artifact_uri, file), names
        )
    }


def check_agreement(
    known: Mapping[tuple[str, str, str], Value],
    added: Iterable[Value],
    model: str,
    where: str,
    within: float = 1e-9,
) -> None:
    """Refuse values that differ by more than ``within`` from those on record.

    Raises:
        InputError: one does; names the model and ``where`` it is said.
    """
    for value in added:
        old = known.get(value.what)
        if old is not None and abs(old.value - value.value) > within:
            raise InputError(
                f"{where}: the {value.metric} of {model} on {value.dataset}, {value.subset}, is "
                f"{value.value:.6g}; on record it is {old.value:.6g}",
                "Take these values under another name of the data set, or for another study.",
            )


def record_values(
    record: StudyRecord, run: RunEntry, values: Iterable[Value], digests: Mapping[str, str]
) -> bool:
    """Add ``values`` to what ``run`` has; ``digests`` are those of their data sets, by name.

    File first, numbers next, tags last, as all evaluations are written. Returns whether there was
    anything new. A finished run has its revision raised.
    """
    known = recorded_values(record, run)
    added = [value for value in values if value.what not in known]
    if not added:
        return False
    touched = {value.dataset for value in added}
    content = [v for v in [*known.values(), *added] if v.dataset in touched]
    rows = sorted((asdict(value) for value in content), key=lambda r: tuple(map(str, r.values())))
    file_name = f"{_FOLDER}/{digest(rows)[:16]}.parquet"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.parquet"
        pl.DataFrame(rows, schema=_SCHEMA, orient="row").write_parquet(file)
        record.artifacts.put(run.run_id, run.artifact_uri, file, file_name)
    metrics = [MetricValue(f"{v.metric}/{v.dataset}", v.value) for v in added if v.subset == "all"]
    tags = record.recorder.raised_revision(run) if run.finished else {}
    tags |= {FILE_TAG + name: file_name for name in touched}
    tags |= {EVAL_TAG + name: digests[name] for name in touched}
    record.recorder.log(run, metrics=metrics, tags=tags)
    return True
