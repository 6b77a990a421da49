"""A task of the user's own, from files or hub data sets that the study file describes.

Text columns are called ``text``, or ``text_a`` and ``text_b``, whatever they are called in the
files. Example ids are the rows' places in the files of their set, one read after the other,
counted from 0 without headers, before any are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.spelling import suggestion
from lmc_track.study.tabular_section import SourceSection, TabularTask, parse_rows
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.published import data_root
from lmc_track.tasks.reading import HubSource, ReadTask
from lmc_track.tasks.sampling import TRAIN_SAMPLE
from lmc_track.tasks.tables import Table, read_table
from lmc_track.tasks.tabular_columns import label_column, subset_names

_REMEDY = "Correct the name, or the folder it is in: --set task.data_dir=FOLDER or LMC_DATA_DIR"


class Tabular(ReadTask):
    """The task that a study file describes by its columns."""

    name = "tabular"

    def __init__(self, section: TabularTask, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._section = section
        self._environ = environ
        self.label_names = tuple(section.labels)
        self.text_columns = _text_names(_text_columns(section, section.validation))
        self.metric = section.metric
        # By name: a recorded study file does not keep the order of its tables.
        diagnostics = tuple(sorted(section.diagnostics))
        sampled = (TRAIN_SAMPLE,) if section.train is not None else ()
        self.evaluation_sets = ("validation", *sampled, *diagnostics)
        self.primary_diagnostic = f"{(*diagnostics, 'validation')[0]}:all:{section.metric}"

    def _read(self, name: str) -> Dataset:
        section = self._section
        if name == "train" and section.train is None:
            raise InputError(
                "the study names no training data", "Add a section [task.train] with a file."
            )
        sources: dict[str, tuple[SourceSection | None, Role, str]] = {
            "train": (section.train, "train", "task.train"),
            "validation": (section.validation, "validation", "task.validation"),
        }
        source, role, key = sources.get(name) or (
            section.diagnostics[name], "diagnostic", f"task.diagnostics.{name}"
        )  # fmt: skip
        assert source is not None
        return _read_set(name, role, section, source, key, self._environ)


def _read_set(
    name: str,
    role: Role,
    task: TabularTask,
    source: SourceSection,
    key: str,
    environ: Mapping[str, str],
) -> Dataset:
    """The set that ``source`` describes, which the study file calls ``key``.

    Raises:
        InputError: what is wrong, with file and line, or with key.
    """
    text_columns = _text_columns(task, source)
    labels = label_column(task, source, key)
    group = source.group if source.group is not None else task.group
    wanted = [
        *text_columns, labels.name, *([] if group is None else [group]), *source.where,
        *(one for item in source.subsets for one in ([item] if isinstance(item, str) else item)),
    ]  # fmt: skip
    tables = _tables(task, source, key, list(dict.fromkeys(wanted)), environ)
    texts: dict[str, list[str]] = {column: [] for column in _text_names(text_columns)}
    ids: list[int] = []
    indices: list[int] = []
    groups: list[str | None] = []
    subsets: list[list[str]] = []
    left_out = dict.fromkeys(("rows", "where", "skip_labels"), 0)
    start = 0
    for table, taken in zip(tables, _taken(source, key, [len(t) for t in tables]), strict=True):
        chosen = [row for row in taken if _fits(table, row, source)]
        rows = [row for row in chosen if table.column(labels.name)[row] not in labels.skipped]
        left_out["rows"] += len(table) - len(taken)
        left_out["where"] += len(taken) - len(chosen)
        left_out["skip_labels"] += len(chosen) - len(rows)
        part = table.take(rows)
        for column, original in zip(texts, text_columns, strict=True):
            texts[column] += part.filled(original)
        ids += [start + row for row in rows]
        indices += labels.indices(part)
        groups += part.column(group) if group is not None else [None] * len(rows)
        subsets += subset_names(part, source.subsets, labels)
        start += len(table)
    if not ids:
        raise InputError(
            f"{key}: no row is left of {start:,}",
            _absent_value(tables, source) or "Look at its rows, where and skip_labels.",
        )
    return build_dataset(
        name,
        role,
        texts=texts,
        labels=indices,
        source=_told(source),
        groups=groups,
        subsets=subsets,
        ids=ids,
        projection=labels.projection,
        left_out=left_out,
    )


def _text_columns(task: TabularTask, source: SourceSection) -> list[str]:
    text = source.text if source.text is not None else task.text
    assert text is not None
    return [text] if isinstance(text, str) else text


def _text_names(columns: Sequence[str]) -> tuple[str, ...]:
    return ("text",) if len(columns) == 1 else ("text_a", "text_b")


def _tables(
    task: TabularTask,
    source: SourceSection,
    key: str,
    wanted: list[str],
    environ: Mapping[str, str],
) -> list[Table]:
    if source.hub is not None:
        hub = HubSource(source.hub, source.config, source.revision, f"{key}.hub")
        assert source.split is not None
        return [hub.read(source.split, wanted, environ, "Correct the section.")]
    root = data_root(task.data_dir, environ, _REMEDY)
    folder = Path() if root is None else root.folder
    names = [source.file] if isinstance(source.file, str) else source.file or []
    tables = []
    for name in names:
        file = folder / Path(name).expanduser()
        if not file.is_file():
            raise InputError(f"{key}.file: there is no file {file}", _REMEDY)
        tables.append(read_table(file, wanted, source.format, source.columns))
    return tables


def _taken(source: SourceSection, key: str, lengths: Sequence[int]) -> list[list[int]]:
    """For every table, the rows that ``rows`` asks for; numbers run on from table to table.

    Raises:
        InputError: a row is asked for that is not there.
    """
    total = sum(lengths)
    if source.rows is None:
        return [list(range(n)) for n in lengths]
    chosen: set[int] = set()
    for first, last in parse_rows(source.rows):
        if first >= total or (last is not None and last >= total):
            raise InputError(
                f"{key}.rows: {source.rows!r} asks for more than there is: {total:,} rows, "
                f"0 to {total - 1}",
                "Correct the range; without an end, as in '8000-', it takes all that follow.",
            )
        chosen.update(range(first, total if last is None else last + 1))
    found, start = [], 0
    for n in lengths:
        found.append([row for row in range(n) if start + row in chosen])
        start += n
    return found


def _fits(table: Table, row: int, source: SourceSection) -> bool:
    """Whether the row has the values that are asked for."""
    for column, value in source.where.items():
        allowed = [_as_text(one) for one in (value if isinstance(value, list) else [value])]
        if table.column(column)[row] not in allowed:
            return False
    return True


def _absent_value(tables: Sequence[Table], source: SourceSection) -> str | None:
    """What to correct where ``where`` asks for a value that no row has."""
    for column, value in source.where.items():
        asked = [_as_text(one) for one in (value if isinstance(value, list) else [value])]
        held = dict.fromkeys(cell for t in tables for cell in t.column(column) if cell is not None)
        if asked and not held.keys() & set(asked):
            meant = suggestion(asked[0], held, listing="There are")
            return f"No row has {column} = {asked[0]!r}. {meant}"
    return None


def _as_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _told(source: SourceSection) -> str:
    """Where the rows came from, as it is recorded; folders are not told."""
    if source.hub is not None:
        parts = [source.hub, source.config, source.split]
        parts += [f"revision {source.revision}"] if source.revision else []
    else:
        names = [source.file] if isinstance(source.file, str) else source.file or []
        parts = [" and ".join(Path(name).name for name in names)]
    parts += [f"rows {source.rows}"] if source.rows else []
    parts += [f"{column} = {value}" for column, value in sorted(source.where.items())]
    return ", ".join(part for part in parts if part)
