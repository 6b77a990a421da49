"""A user's own queries: ``queries/*.sql`` in the home, with the header of the library's.

A file that cannot be used hides none of the others: it is a problem of its own, told when the
query is asked for by name or all are listed. The names of the library stay the library's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lmc_track.names import is_name
from lmc_track.warehouse.library import Query, QueryFileError, parse_query, problem, queries

FOLDER = "queries"


@dataclass(frozen=True)
class OwnQueries:
    """Both by name, in the order of their names: what can be run, and why the rest cannot."""

    queries: dict[str, Query]
    problems: dict[str, QueryFileError]


def own_queries(home: Path) -> OwnQueries:
    """The query files in ``home``; none where there is no such folder."""
    good: dict[str, Query] = {}
    problems: dict[str, QueryFileError] = {}
    library = queries()
    # Hidden files are those of editors and file systems.
    found = sorted(f for f in (home / FOLDER).glob("*.sql") if not f.name.startswith("."))
    for file in found:
        name = file.name.removesuffix(".sql")
        try:
            if name in library:
                raise _refused(file, f"the library has a query {name}", "give yours another name")
            if not is_name(name):
                what = f"{name!r} is no name for a query"
                raise _refused(file, what, "name the file with letters, digits and _ . -")
            good[name] = parse_query(file.name, _read(file), file)
        except QueryFileError as error:
            problems[name] = error
    return OwnQueries(good, problems)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise problem(str(file), line, "the text is not UTF-8") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise _refused(file, f"it cannot be read: {why}", "correct the query file") from None


def _refused(file: Path, what: str, remedy: str) -> QueryFileError:
    return QueryFileError(f"{file}: {what}", remedy)
