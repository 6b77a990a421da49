"""The text logs of ``interpolate_1d.py`` of github.com/aNOnWhyMooS/connectivity, pair by pair.

A pair begins with ``Euclidean distance between A and B: D.``. For every point follow a row
``[c1, c2]`` and a small table whose columns are ``point_num``, ``loss`` and what else was measured.
The weights of a point are c1·A + c2·B, and the first point is [0, 1]: *B*. Whatever else is printed
between is skipped. This does not know which models are on record, nor in which order.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.importers.naming import step_in
from lmc_track.importers.text_files import read_text

_BEGINS = re.compile(r"Euclidean distance between (.+) and (.+): (\S+?)\.?")
_ON = re.compile(r"Interpolating between .+ and .+ on (\S+)")
_COEFFICIENTS = re.compile(r"\[([^\s,\[\]]+),\s*([^\s,\[\]]+)\]")
_RULE = re.compile(r"-{2,}(\s+-{2,})*")
_NUMBERED = "point_num"
_SKIPPED = (".err", ".pkl")
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class LoggedPoint:
    """``share``: how much of the second model is in it; ``values``: by metric, loss first."""

    share: float
    values: dict[str, float]
    line: int


@dataclass(frozen=True)
class LoggedPair:
    """One interpolation, as the log has it: from ``first`` (share 0) to ``second`` (share 1).

    ``points`` are in order of the share. ``dataset`` is what the log calls it, if it does.
    """

    file: Path
    line: int
    first: str
    second: str
    distance: float
    dataset: str | None
    step: int | None
    points: tuple[LoggedPoint, ...]

    @property
    def where(self) -> str:
        return f"{self.file}, line {self.line}"

    @property
    def what(self) -> str:
        return f"{self.first} and {self.second}"


@dataclass(frozen=True)
class InterpolationLogs:
    """What a folder of logs holds. ``broken``: what is wrong with pairs that were left out."""

    pairs: tuple[LoggedPair, ...]
    skipped_files: tuple[str, ...]
    broken: tuple[InputError, ...]


def read_interpolation_logs(
    folder: Path, *, skip_incomplete: bool = False, dataset: str | None = None
) -> InterpolationLogs:
    """The pairs in the logs of ``folder`` and the folders in it, or in one log.

    Files without such a pair, and the ``.err`` and ``.pkl`` files beside logs, are skipped. With
    ``skip_incomplete`` a pair that breaks off is left out, else it is refused. ``dataset`` takes
    only pairs of which the log says that they are on it.

    Raises:
        InputError: the folder is none or holds no pairs, or one is incomplete or malformed; names
            file and line.
    """
    if not folder.exists():
        raise InputError(f"there is no folder {folder}", "Give the folder that the logs are in.")
    pairs: list[LoggedPair] = []
    skipped: list[str] = []
    broken: list[InputError] = []
    for file in _files(folder):
        found = list(_read(file, step_in(file.absolute()), broken))
        if not found and not any(str(file) in str(error) for error in broken):
            skipped.append(file.name)
        pairs += [one for one in found if dataset in (None, one.dataset)]
    if broken and not skip_incomplete:
        first = broken[0]
        more = f" ({len(broken) - 1} more like it)" if len(broken) > 1 else ""
        raise InputError(f"{first.message}{more}", first.remedy)
    if not pairs:
        told = f" on {dataset!r}" if dataset else ""
        raise InputError(
            f"{folder} holds no interpolation{told} that could be read",
            "Expected are lines such as: Euclidean distance between 3 and 7: 12.5.",
        )
    return InterpolationLogs(tuple(pairs), tuple(skipped), tuple(broken))


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted(
        file
        for file in found
        if file.suffix not in _SKIPPED
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def _read(file: Path, step: int | None, broken: list[InputError]) -> Iterator[LoggedPair]:
    """The whole pairs of one log; what is wrong with the others goes to ``broken``."""
    try:
        lines = [line.strip() for line in read_text(file).split("\n")]
    except InputError as error:
        if "not UTF-8" in error.message:  # a picture or an archive beside the logs
            return
        raise
    starts = [k for k, line in enumerate(lines) if line.startswith("Euclidean distance between")]
    for start, end in itertools.pairwise([*starts, len(lines)]):
        try:
            yield _pair(file, lines, start, end, step)
        except InputError as error:
            broken.append(error)


def _pair(file: Path, lines: list[str], start: int, end: int, step: int | None) -> LoggedPair:
    begins = _BEGINS.fullmatch(lines[start])
    distance = _number(begins[3]) if begins else None
    if begins is None or distance is None or distance < 0:
        raise InputError(
            f"{file}, line {start + 1}: no pair and distance: {lines[start][:80]!r}",
            "Expected is, for example: Euclidean distance between 3 and 7: 12.5.",
        )
    dataset = next((m[1] for line in lines[start:end] if (m := _ON.fullmatch(line))), None)
    points = tuple(sorted(_points(file, lines, start, end), key=lambda point: point.share))
    pair = LoggedPair(file, start + 1, begins[1], begins[2], distance, dataset, step, points)
    _check(pair, max(k for k in range(start, end) if lines[k]))
    return pair


def _points(file: Path, lines: list[str], start: int, end: int) -> Iterator[LoggedPoint]:
    """Every point whose table is whole, and whose coefficients add up to 1."""
    share: float | None = None
    columns: list[str] = []
    at = start
    for k in range(start + 1, end):
        line = lines[k]
        if found := _COEFFICIENTS.fullmatch(line):
            if share is not None:
                raise _breaks_off(file, at, "the point has no values")
            first, second = _number(found[1]), _number(found[2])
            if first is None or second is None or abs(first + second - 1) > _TOLERANCE:
                raise InputError(
                    f"{file}, line {k + 1}: {line} are no coefficients that add up to 1",
                    "Points must lie on the line between the two models.",
                )
            # Counted in steps of the grid, c2 is exact where 1 - c1 is not.
            share, at, columns = second, k, []
        elif line.split()[:1] == [_NUMBERED]:
            columns = line.split()
        elif _RULE.fullmatch(line) and columns:
            if share is None:
                raise InputError(
                    f"{file}, line {k + 1}: a table without the coefficients of its point",
                    "Take the log as it was written.",
                )
            if k + 1 >= end or not lines[k + 1]:
                raise _breaks_off(file, k, "the table has no row")
            if k + 2 == len(lines):  # a number cut in two would look whole
                raise _breaks_off(file, k + 1, "the row has no line end")
            yield LoggedPoint(share, _values(file, columns, lines[k + 1], k + 2), at + 1)
            share, columns = None, []
    if share is not None:
        raise _breaks_off(file, at, "the point has no values")


def _values(file: Path, columns: list[str], row: str, line: int) -> dict[str, float]:
    cells = row.split()
    numbers = [_number(cell) for cell in cells]
    if len(cells) != len(columns) or any(number is None for number in numbers):
        raise InputError(
            f"{file}, line {line}: {row[:60]!r} is no row of {', '.join(columns)}",
            "The log breaks off here, or was changed: take it as it was written.",
        )
    told = dict(zip(columns, (n for n in numbers if n is not None), strict=True))
    del told[_NUMBERED]
    if "loss" not in told:
        raise InputError(f"{file}, line {line}: there is no loss", "Every point needs one.")
    return told


def _check(pair: LoggedPair, last: int) -> None:
    shares = [point.share for point in pair.points]
    if len(shares) < 3 or abs(shares[0]) > _TOLERANCE or abs(shares[-1] - 1) > _TOLERANCE:
        raise _breaks_off(
            pair.file,
            last,
            f"the interpolation between {pair.what} (line {pair.line}) has {len(shares)} points "
            "and does not reach from one model to the other",
        )
    for a, b in itertools.pairwise(pair.points):
        if b.share - a.share < _TOLERANCE:
            raise InputError(
                f"{pair.file}, line {b.line}: the point [{1 - b.share:g}, {b.share:g}] is there "
                f"twice (first: line {a.line})",
                "Take the log as it was written.",
            )
        if a.values.keys() != b.values.keys():
            raise InputError(
                f"{pair.file}, line {b.line}: this point has {', '.join(b.values)}, another of the "
                f"pair {', '.join(a.values)}",
                "Take the log as it was written.",
            )


def _breaks_off(file: Path, line: int, what: str) -> InputError:
    return InputError(
        f"{file}, line {line + 1}: the log breaks off: {what}",
        "Complete or delete it; --skip-incomplete leaves such pairs out.",
    )


def _number(text: str) -> float | None:
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def check_same_points(pairs: Iterable[LoggedPair]) -> tuple[float, ...]:
    """The shares that all ``pairs`` have.

    Raises:
        InputError: one has other points than most have; names file and line.
    """
    counted: dict[tuple[float, ...], list[LoggedPair]] = {}
    for pair in pairs:
        shares = tuple(round(point.share, 6) for point in pair.points)
        # A grid that is even is the same from either end.
        counted.setdefault(shares, []).append(pair)
    ranked = sorted(counted.items(), key=lambda item: -len(item[1]))
    if len(ranked) > 1:
        (usual, many), (_, few) = ranked[0], ranked[1]
        raise InputError(
            f"{few[0].where}: the pair {few[0].what} has {len(few[0].points)} points, "
            f"{len(many)} others have {len(usual)}"
            if len(few[0].points) != len(usual)
            else f"{few[0].where}: the pair {few[0].what} has other points than {len(many)} others",
            "Gaps of different grids cannot be compared: import pairs of one grid at a time, each "
            "into a study of its own.",
        )
    return ranked[0][0] if ranked else ()
