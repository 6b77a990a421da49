"""Query files say what they need, and the loader holds them to it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.library import QueryFileError, parse_query, queries
from lmc_track.warehouse.results import Results

GOOD = (
    "-- name: q\n-- description: one line.\n"
    "-- param study VARCHAR required: name of the study\nSELECT getvariable('study')\n"
)


def test_the_library_has_what_is_promised() -> None:
    promised = {
        "barrier_matrix", "curves", "cluster_table", "cluster_diagnostics", "models",
        "study_summary",
    }  # fmt: skip
    assert promised <= set(queries())


def test_a_query_is_read_with_its_header() -> None:
    query = parse_query("q.sql", GOOD)
    assert (query.name, query.description) == ("q", "one line.")
    assert [(p.name, p.sql_type, p.default) for p in query.parameters] == [
        ("study", "VARCHAR", None)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("getvariable('study')", "1"), "q.sql:3: parameter study is declared but"),
        (GOOD + ", getvariable('half')\n", "q.sql:5: parameter half is used but"),
        (GOOD.replace("-- name: q\n", ""), "q.sql:1: the header has no line"),
        (GOOD.replace("-- name: q", "-- name: other"), "names the query other"),
        (GOOD.replace("VARCHAR required", "VARCHAR"), "q.sql:3: a parameter is written"),
        (GOOD.replace("VARCHAR", "TEXT"), "q.sql:3: type TEXT"),
    ],
)
def test_a_header_that_does_not_agree_names_file_and_line(text: str, message: str) -> None:
    with pytest.raises(QueryFileError) as caught:
        parse_query("q.sql", text)
    assert message in str(caught.value)


def test_an_unknown_query_names_the_nearest(results: Results) -> None:
    with pytest.raises(InputError, match="barrier_matrix"):
        results.query("barier_matrix")


def test_an_unknown_parameter_names_the_nearest(results: Results) -> None:
    with pytest.raises(InputError, match="dataset"):
        results.query("curves", datset="validation")


def test_an_unknown_study_lists_the_known_ones(results: Results) -> None:
    with pytest.raises(InputError, match="simulated"):
        results.query("models", study="other")


@pytest.mark.parametrize("value", ["'; DROP TABLE models; --", "x' OR '1'='1", "\\"])
def test_values_are_never_part_of_the_sql(results: Results, value: str) -> None:
    with pytest.raises(InputError):
        results.query("curves", dataset=value)
    assert results.query("models").height == 6


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, lmc_track\n"
        "sys.exit(str({'duckdb', 'torch', 'numpy', 'mlflow', 'polars'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() in ("", "set()"), done.stderr
