"""Tables of scores, a model a row: which columns and rows count, and what they say.

Knows tables of texts. It does not know what is on record.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.importers.naming import ModelNames, NamedModel, check_distinct
from lmc_track.importers.text_files import TextTable, read_table
from lmc_track.metrics import METRICS
from lmc_track.names import fitting_name

_MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "–"}


@dataclass(frozen=True)
class Target:
    """What a column is a score of."""

    dataset: str
    subset: str
    metric: str

    def __str__(self) -> str:
        return f"{self.dataset}:{self.subset}:{self.metric}"


@dataclass(frozen=True)
class ColumnRule:
    """Columns whose header ``pattern`` matches whole are scores of ``target``.

    ``{}`` in the target is what the pattern's first group finds, or the header.
    """

    pattern: re.Pattern[str]
    target: str

    def of(self, header: str, metric: str) -> Target | None:
        found = self.pattern.fullmatch(header)
        if found is None:
            return None
        inner = found[1] if self.pattern.groups else found[0]
        return read_target(self.target.replace("{}", (inner or "").replace(":", "-")), metric)


@dataclass(frozen=True)
class Score:
    target: Target
    value: float


@dataclass(frozen=True)
class ScoreTable:
    """What a table says: every model with its scores, and what was left out of it.

    ``headers`` are the columns' own texts, one for each of ``targets``.
    """

    file: Path
    models: tuple[NamedModel, ...]
    scores: tuple[tuple[Score, ...], ...]
    targets: tuple[Target, ...]
    headers: tuple[str, ...]
    skipped_rows: tuple[str, ...]
    skipped_columns: tuple[str, ...]
    n_empty: int


def column_rule(text: str) -> ColumnRule:
    """The rule that ``REGEX=DATASET[:SUBSET[:METRIC]]`` says.

    Raises:
        InputError: it is not of that form.
    """
    pattern, equals, target = text.rpartition("=")
    example = "For example: --column 'MNLI dev acc\\.=validation' --column '(l[en]_.+)=hans:{}'"
    if not equals or not pattern or not target:
        raise InputError(f"--column {text!r} is not of the form REGEX=DATASET[:SUBSET]", example)
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(f"--column {text!r}: no regular expression: {error}", example) from None
    read_target(target, "accuracy")
    return ColumnRule(compiled, target)


def read_target(text: str, metric: str) -> Target:
    """``DATASET[:SUBSET[:METRIC]]`` or ``METRIC/DATASET``, as MLflow's metrics are named.

    Raises:
        InputError: the metric is none.
    """
    before, slash, after = text.partition("/")
    if slash and before in METRICS and ":" not in after:
        return Target(fitting_name(after), "all", before)
    dataset, *rest = text.split(":")
    if len(rest) > 2:
        raise InputError(f"{text!r} has more than DATASET:SUBSET:METRIC", "Drop the last parts.")
    subset = rest[0] if rest else "all"
    named = rest[1] if len(rest) == 2 else metric
    if named not in METRICS:
        raise InputError(
            f"{text!r}: there is no metric {named!r}", f"There are: {', '.join(METRICS)}."
        )
    return Target(fitting_name(dataset), fitting_name(subset or "all"), named)


def read_scores(
    file: Path,
    names: ModelNames,
    rules: Sequence[ColumnRule] = (),
    *,
    model_column: str | None = None,
    metric: str = "accuracy",
    percent: bool = False,
) -> ScoreTable:
    """The scores in ``file``; without ``rules`` every column with a header is one.

    ``model_column`` holds the models, the first column if None. ``percent``: shares are told in
    hundredths.

    Raises:
        InputError: a model or a score is there twice, a cell is no number or cannot be a score of
            its metric, or nothing matches; names file and line.
    """
    table = read_table(file)
    place = 0 if model_column is None else table.column(model_column)
    columns = _columns(table, place, rules, metric)
    models: dict[str, tuple[NamedModel, tuple[Score, ...]]] = {}
    skipped = []
    n_empty = 0
    for line, cells in table.rows:
        name = names.name(cells[place])
        if name is None:
            skipped.append(cells[place])
            continue
        where = f"{file}, line {line}"
        model = NamedModel(name, cells[place], where)
        if name in models and models[name][0].original == model.original:
            raise InputError(
                f"{where}: the model {model.original!r} is there twice "
                f"(first: {models[name][0].where.rpartition(', ')[2]})",
                "Keep one row for each model, or tell them apart with --match and --name.",
            )
        check_distinct([*([models[name][0]] if name in models else []), model])
        scores = []
        for at, target in columns:
            value = _number(cells[at], target, percent, f"{where}, column {table.header[at]!r}")
            if value is None:
                n_empty += 1
            else:
                scores.append(Score(target, value))
        models[name] = (model, tuple(scores))
    if not models:
        raise InputError(
            f"{file}: no row is a model: {names.match.pattern!r} matches none of "
            f"{_listed(cells[place] for _, cells in table.rows)}",
            "Say which rows are models with --match.",
        )
    used = {at for at, _ in columns}
    return ScoreTable(
        file,
        tuple(model for model, _ in models.values()),
        tuple(scores for _, scores in models.values()),
        tuple(target for _, target in columns),
        tuple(table.header[at] for at, _ in columns),
        tuple(skipped),
        tuple(h for at, h in enumerate(table.header) if h and at not in used and at != place),
        n_empty,
    )


def _columns(
    table: TextTable, place: int, rules: Sequence[ColumnRule], metric: str
) -> list[tuple[int, Target]]:
    """(place, what it is a score of) of every column that counts."""
    found: dict[Target, int] = {}
    for at, header in enumerate(table.header):
        if at == place or not header:
            continue
        targets = [t for rule in rules if (t := rule.of(header, metric)) is not None]
        if not rules:
            targets = [read_target(header, metric)]
        if not targets:
            continue
        if targets[0] in found:
            raise InputError(
                f"{table.file}, line 1: the columns {table.header[found[targets[0]]]!r} and "
                f"{header!r} would both be {targets[0]}",
                "Tell them apart with --column.",
            )
        found[targets[0]] = at
    if not found:
        raise InputError(
            f"{table.file}, line 1: no column holds scores: there are "
            f"{_listed(filter(None, table.header))}",
            "Say which do with --column.",
        )
    return [(at, target) for target, at in found.items()]


def _number(cell: str, target: Target, percent: bool, where: str) -> float | None:
    if cell.lower() in _MISSING:
        return None
    try:
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{where}: {cell!r} is no number", "Leave the cell empty where there is no value."
        )
    if percent and not METRICS[target.metric].unit:
        value /= 100
    metric = METRICS[target.metric]
    low, high = metric.low, metric.high
    if not low <= value <= high:
        hint = "Of percentages say --percent." if 1 < value <= 100 and not percent else ""
        raise InputError(
            f"{where}: {cell} cannot be {_article(target.metric)}, which is "
            + (f"between {low:g} and {high:g}" if high < math.inf else "at least 0"),
            hint or "Say what the column holds with --column …=DATASET:SUBSET:METRIC.",
        )
    return value


def _article(metric: str) -> str:
    word = metric.replace("_", " ")
    return f"{'an' if word[0] in 'aeiouf' and word != 'balanced accuracy' else 'a'} {word}"


def _listed(texts: Iterable[str]) -> str:
    shown = list(Counter(texts))
    return ", ".join(repr(text) for text in shown[:6]) + (", …" if len(shown) > 6 else "") or "none"
