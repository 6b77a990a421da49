"""Taking predictions into a results file, and evaluating them on the way.

Predictions are the bulk of a file. They are kept in ``storage.prediction_rows``, one integer a row
for run, data set and precision together; the view ``predictions`` spells them out.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.tasks.projection import Projection
from lmc_track.warehouse.evaluating import Evaluated, Evaluation, evaluate, evaluated_set
from lmc_track.warehouse.snapshot import DamagedFile, PredictionFile
from lmc_track.warehouse.storage import insert_rows
from lmc_track.warehouse.stored_tables import PREDICTION_SETS
from lmc_track.warehouse.tables import frame_schema

_FILES_AT_ONCE = 250
# Reading and computing leave Python to others for most of their time.
_THREADS = 2
# Means are added in another order than when they were recorded.
_ROUNDING = 1e-6
# Polars panics on some files that are not Parquet any more.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
_SCHEMA = {
    "dataset": pl.String(),
    "example_id": pl.Int64(),
    "label": pl.Int32(),
    "loss": pl.Float32(),
    "logits": pl.List(pl.Float32()),
}


class _DamagedError(Exception):
    """The file of this number is not what was written, or does not fit its data sets."""

    def __init__(self, file_no: int, why: str) -> None:
        super().__init__(why)
        self.file_no, self.why = file_no, why


@dataclass(frozen=True)
class _Set:
    """Predictions of one run on one data set in one precision, in one of the files."""

    set_no: int
    run_id: str
    dataset: str
    precision: str
    data_digest: str
    projection: Projection | None
    file_no: int
    told: float | None

    @property
    def place(self) -> tuple[int, str]:
        """Where its rows are: in which file, as which data set."""
        return self.file_no, self.dataset


@dataclass(frozen=True)
class _Block:
    """Rows for ``storage.prediction_sets`` and ``storage.prediction_rows``, in order."""

    sets: pl.DataFrame
    rows: pl.DataFrame
    evaluations: list[Evaluation]
    damaged: tuple[DamagedFile, ...] = ()


def add_predictions(
    connection: duckdb.DuckDBPyConnection, files: Sequence[PredictionFile], *, commit: bool
) -> tuple[list[Evaluation], list[DamagedFile]]:
    """Store the predictions in ``files``, on the data sets that count, and evaluate them.

    Runs, data sets and examples must be in their tables already. Models come first: what reads
    only them, as most queries do, skips the rest.

    With ``commit`` the transaction is ended after every block and begun anew: until it ends,
    DuckDB keeps some 30 bytes in memory for every row.

    A file that cannot be read, is not what was written or does not cover its data sets exactly
    is left out whole, and returned with the reason: means over the rest of it would mislead.
    """
    models = {row[0] for row in connection.execute("SELECT model_id FROM models").fetchall()}
    ordered = sorted(
        files, key=lambda file: (file.run_id not in models, file.run_id, str(file.path))
    )
    sets = _number(connection, ordered)
    digests = {one.data_digest for one in sets}
    data = {digest: evaluated_set(connection, digest) for digest in digests}
    found: list[Evaluation] = []
    damaged: list[DamagedFile] = []
    places = [one.file_no for one in sets]
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[_Block]] = deque()
        for start in range(0, len(ordered), _FILES_AT_ONCE):
            end = min(start + _FILES_AT_ONCE, len(ordered))
            some = {k: ordered[k] for k in range(start, end)}
            inside = sets[bisect_left(places, start) : bisect_left(places, end)]
            waiting.append(pool.submit(_sound_block, some, inside, data))
            if len(waiting) > _THREADS:
                found += _store(connection, waiting.popleft().result(), commit, damaged)
        while waiting:
            found += _store(connection, waiting.popleft().result(), commit, damaged)
    return found, damaged


def _store(
    connection: duckdb.DuckDBPyConnection,
    block: _Block,
    commit: bool,
    damaged: list[DamagedFile],
) -> list[Evaluation]:
    damaged += block.damaged
    if block.sets.is_empty():
        return block.evaluations
    insert_rows(connection, PREDICTION_SETS, block.sets)
    # They are in order already, which sorting would only find out.
    connection.register("block", block.rows)
    connection.execute(
        "INSERT INTO storage.prediction_rows "
        "SELECT set_no, example_id, label, loss, logits FROM block"
    )
    connection.unregister("block")
    if commit:
        connection.commit()
        connection.begin()
    return block.evaluations


def _number(connection: duckdb.DuckDBPyConnection, files: Sequence[PredictionFile]) -> list[_Set]:
    """Every run, data set and precision in ``files``, numbered in the order of files."""
    frame = pl.DataFrame(
        {
            "file_no": range(len(files)),
            "run_id": [file.run_id for file in files],
            "precision": [file.precision for file in files],
            "datasets": [list(file.datasets) for file in files],
        },
        schema={
            "file_no": pl.Int32,
            "run_id": pl.String,
            "precision": pl.String,
            "datasets": pl.List(pl.String),
        },
    )
    connection.register("prediction_files", frame)
    rows = connection.execute(
        """
        WITH runs AS (
            SELECT model_id AS run_id, study FROM models
            UNION ALL SELECT point_id, study FROM points
        ), sets AS (
            SELECT run_id, unnest(datasets) AS dataset, precision, file_no FROM prediction_files
        )
        SELECT (SELECT coalesce(max(set_no), 0) FROM storage.prediction_sets)
                   + row_number() OVER (ORDER BY file_no, dataset),
               run_id, dataset, sets.precision, data_digest, projection, label_names,
               projection_groups, file_no
        FROM sets JOIN runs USING (run_id) JOIN datasets USING (study, dataset)
        ORDER BY 1
        """
    ).fetchall()
    connection.unregister("prediction_files")
    return [
        _Set(
            set_no,
            run_id,
            dataset,
            precision,
            digest,
            _projection(how, names, groups),
            file_no,
            files[file_no].told.get(dataset),
        )
        for set_no, run_id, dataset, precision, digest, how, names, groups, file_no in rows
    ]


def _projection(
    how: str | None, names: list[str] | None, groups: list[list[int]] | None
) -> Projection | None:
    if how is None or groups is None:
        return None
    told = tuple(names) if names is not None else tuple(map(str, range(len(groups))))
    return Projection(how, told, tuple(map(tuple, groups)))  # type: ignore[arg-type]


def _sound_block(
    files: Mapping[int, PredictionFile], sets: Sequence[_Set], data: Mapping[str, Evaluated]
) -> _Block:
    """The block of those of ``files``, by their numbers, that are not damaged."""
    why = {k: reason for k, file in files.items() if (reason := _other_content(file)) is not None}
    while True:
        paths = {file.path: k for k, file in files.items() if k not in why}
        try:
            block = _block(paths, [one for one in sets if one.file_no not in why], data)
        except _DamagedError as error:
            why[error.file_no] = error.why
        else:
            return replace(block, damaged=tuple(DamagedFile(files[k], why[k]) for k in why))


def _other_content(file: PredictionFile) -> str | None:
    """Why ``file`` is not what was written, where its digest is on record."""
    if file.sha256 is None:
        return None
    try:
        with file.path.open("rb") as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except OSError as error:
        return error.strerror or str(error)
    return None if same else "its content is not what was written (SHA-256)"


def _block(
    paths: Mapping[Path, int], sets: Sequence[_Set], data: Mapping[str, Evaluated]
) -> _Block:
    """``paths`` maps files to their numbers; ``sets`` are the sets in them that count."""
    if not paths:
        nothing = pl.DataFrame(schema={"set_no": pl.Int32(), **_SCHEMA}).drop("dataset")
        return _Block(_set_rows([], {}), nothing, [])
    rows, numbers = _numbered(_read(paths), paths, sets)
    set_nos = rows["set_no"].to_numpy()
    alike: dict[tuple[str, str, str | None], list[_Set]] = {}
    for one in sets:
        told = None if one.projection is None else one.projection.told
        alike.setdefault((one.data_digest, one.dataset, told), []).append(one)
    evaluations = []
    for group in alike.values():
        examples = data[group[0].data_digest]
        wanted = np.array([numbers[one.place] for one in group], dtype=set_nos.dtype)
        starts = np.searchsorted(set_nos, wanted)
        _check_sizes(group, np.searchsorted(set_nos, wanted, side="right") - starts, examples)
        evaluations.append(
            Evaluation(
                examples,
                group[0].dataset,
                [one.run_id for one in group],
                [one.precision for one in group],
                _values(rows, starts, examples, group),
            )
        )
    return _Block(_set_rows(sets, numbers), rows, evaluations)


def _set_rows(sets: Sequence[_Set], numbers: Mapping[tuple[int, str], int]) -> pl.DataFrame:
    projections = [one.projection for one in sets]
    return pl.DataFrame(
        {
            "set_no": [numbers[one.place] for one in sets],
            "run_id": [one.run_id for one in sets],
            "dataset": [one.dataset for one in sets],
            "precision": [one.precision for one in sets],
            "data_digest": [one.data_digest for one in sets],
            "projection": [None if p is None else p.how for p in projections],
            "projection_groups": [None if p is None else p.groups for p in projections],
        },
        schema=frame_schema(PREDICTION_SETS),
    )


def _values(
    rows: pl.DataFrame, starts: NDArray[np.int64], examples: Evaluated, group: Sequence[_Set]
) -> dict[str, NDArray[np.float64]]:
    n = len(examples.example_ids)
    there = starts[:, None] + np.arange(n)
    lengths = rows["logits"].list.len().to_numpy()
    k = lengths[there[0, 0]] if n else 0
    wrong = (rows["example_id"].to_numpy()[there] != examples.example_ids).any(1)
    wrong |= (rows["label"].to_numpy()[there] != examples.labels).any(1)
    wrong |= (lengths[there] != k).any(1)
    if wrong.any():
        raise _misfit(group[int(np.flatnonzero(wrong)[0])], n, "others")
    there = there[:, examples.cells.order]
    losses = rows["loss"].to_numpy()[there]
    flat = rows["logits"].explode(empty_as_null=False).to_numpy()
    if len(flat) != k * len(rows):  # sets of another study have more labels or fewer
        first = lengths.cumsum(dtype=np.int64) - lengths
        logits = flat[first[there][:, :, None] + np.arange(k)]
    else:
        logits = np.take(flat.reshape(-1, k), there, axis=0)
    values = evaluate(examples, logits, losses, group[0].projection)
    _check_losses(group, values["loss"][:, examples.parts.index(("all", "all"))])
    return values


def _check_losses(group: Sequence[_Set], losses: NDArray[np.float64]) -> None:
    """Refuse predictions whose mean loss is not the one that was recorded with them."""
    told = np.array([np.nan if one.told is None else one.told for one in group])
    wrong = np.flatnonzero(np.abs(losses - told) > _ROUNDING * (1 + np.abs(told)))
    if len(wrong):
        one = group[int(wrong[0])]
        raise _DamagedError(
            one.file_no,
            f"the mean loss on {one.dataset} is {losses[wrong[0]]:.6g}, and was recorded as "
            f"{one.told:.6g}",
        )


def _numbered(
    rows: pl.DataFrame, paths: Mapping[Path, int], sets: Sequence[_Set]
) -> tuple[pl.DataFrame, dict[tuple[int, str], int]]:
    """Rows of ``sets`` with their number, by number and example; and the numbers by place.

    The sets of a file take its numbers in the order in which they are in it, so that its rows
    are in order as they are.
    """
    file_nos = {str(path): file_no for path, file_no in paths.items()}
    changes = rows.select(pl.col("file", "dataset").rle_id()).to_numpy()
    starts = np.flatnonzero((np.diff(changes.astype(np.int64), axis=0, prepend=-1) != 0).any(1))
    first = rows[starts, ["file", "dataset"]]
    places = [(file_nos[file], dataset) for file, dataset in first.iter_rows()]
    free = iter([one.set_no for one in sets])
    wanted = {one.place for one in sets}
    numbers = {place: next(free) for place in dict.fromkeys(places) if place in wanted}
    numbers |= {one.place: next(free) for one in sets if one.place not in numbers}
    nos = np.array([numbers.get(place, 0) for place in places], dtype=np.int32)
    column = np.repeat(nos, np.diff(starts, append=len(rows)))
    rows = rows.with_columns(set_no=pl.Series(column)).drop("file", "dataset")
    if not column.all():
        rows = rows.filter(pl.col("set_no") > 0)
    order = rows["set_no"].to_numpy().astype(np.int64) << 32
    order += rows["example_id"].to_numpy()
    if not (order[1:] > order[:-1]).all():
        rows = rows.sort("set_no", "example_id")
    return rows, numbers


def _read(paths: Mapping[Path, int]) -> pl.DataFrame:
    """All rows of the files with their ``file``; read together, or else one by one."""
    try:
        return _scanned(list(paths))
    except _UNREADABLE:
        return pl.concat([_read_one(path, file_no) for path, file_no in paths.items()])


def _scanned(paths: Sequence[Path]) -> pl.DataFrame:
    columns = [pl.col(name).cast(kind) for name, kind in _SCHEMA.items()]
    return (
        pl.scan_parquet(
            [str(path) for path in paths],
            glob=False,
            hive_partitioning=False,
            include_file_paths="file",
        )
        .select("file", *columns)
        .collect()
    )


def _read_one(path: Path, file_no: int) -> pl.DataFrame:
    try:
        return _scanned([path])
    except _UNREADABLE as error:
        raise _DamagedError(file_no, " ".join(str(error).split())[:200]) from error


def _check_sizes(group: Sequence[_Set], sizes: NDArray[np.int64], examples: Evaluated) -> None:
    n = len(examples.example_ids)
    wrong = np.flatnonzero(sizes != n)
    if len(wrong):
        raise _misfit(group[int(wrong[0])], n, str(sizes[wrong[0]]))


def _misfit(one: _Set, n: int, found: str) -> _DamagedError:
    return _DamagedError(
        one.file_no,
        f"the predictions on {one.dataset} do not fit its {n} examples ({found} found)",
    )
