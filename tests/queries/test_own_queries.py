"""Queries in the user's home: found, checked and run as those of the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

import lmc_track
from lmc_track.errors import InputError
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.own_queries import own_queries
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results
from support.handmade_study import handmade_snapshot

CLOSE = """-- name: close
-- description: The models that are within a gap of another.
-- param study VARCHAR required: name of the study
-- param half VARCHAR = 'all': all, discovery or held-out
-- param gap DOUBLE = 0.3: greatest gap
SELECT model_a, model_b, convexity_gap
FROM study_pairs(
    getvariable('study'), 'validation', 'all', getvariable('half'), 'loss', 'all', NULL, NULL
)
WHERE convexity_gap <= getvariable('gap')
"""
SIMPLE = "-- name: {0}\n-- description: A test.\nSELECT count(*) AS n FROM models\n"


@pytest.fixture(scope="module")
def results_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("own")
    inner = {(0, 1): {0.5: 0.5}, (0, 2): {0.5: 0.75}, (1, 2): {0.5: 1.25}}
    rebuild(folder / "results.duckdb", handmade_snapshot(folder, [0.25] * 3, inner))
    return (folder / "results.duckdb").read_bytes()


@pytest.fixture
def home(tmp_path: Path, results_file: bytes) -> Path:
    (tmp_path / "results.duckdb").write_bytes(results_file)
    (tmp_path / "queries").mkdir()
    return tmp_path


@pytest.fixture
def write(home: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = home / "queries" / f"{name}.sql"
        path.write_text(text)
        return path

    return write


Write = Callable[[str, str], Path]


def opened(home: Path) -> Results:
    return lmc_track.open(home)


def refusal(home: Path, name: str, **params: object) -> InputError:
    with pytest.raises(InputError) as caught:
        opened(home).query(name, **params)
    return caught.value


def test_an_own_query_runs_with_its_parameters(home: Path, write: Write) -> None:
    write("close", CLOSE)
    results = opened(home)
    assert results.query("close").rows() == [("m0", "m1", 0.25)]
    assert results.query("close", gap="0.5", study="handmade").height == 2


def test_one_written_after_opening_is_found(home: Path, write: Write) -> None:
    results = opened(home)
    write("late", SIMPLE.format("late"))
    assert results.query("late").item() == 3


@pytest.mark.parametrize("name", ["barrier_matrix", "gap_summary", "curves"])
def test_a_copy_of_a_library_query_answers_the_same(home: Path, write: Write, name: str) -> None:
    text = queries()[name].sql
    write(f"my_{name}", text.replace(f"-- name: {name}\n", f"-- name: my_{name}\n"))
    mine, theirs = opened(home).query(f"my_{name}"), opened(home).query(name)
    # Threads may add up numbers in another order.
    assert_frame_equal(mine, theirs, abs_tol=1e-12, rel_tol=1e-12)


def test_shared_parameters_take_only_known_values(home: Path, write: Write) -> None:
    write("close", CLOSE)
    assert "no half 'third'" in refusal(home, "close", half="third").message
    assert "no study 'other'" in refusal(home, "close", study="other").message
    assert "no parameter 'gpa'" in refusal(home, "close", gpa=1).message
    assert "must be DOUBLE" in refusal(home, "close", gap="much").message


def test_a_data_set_without_a_study_is_anything(home: Path, write: Write) -> None:
    write(
        "sets",
        "-- name: sets\n-- description: d\n-- param dataset VARCHAR required: one\n"
        "SELECT study FROM datasets WHERE dataset = getvariable('dataset')\n",
    )
    assert opened(home).query("sets", dataset="validation").item() == "handmade"
    assert opened(home).query("sets", dataset="probe").is_empty()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (CLOSE.replace("'gap'", "'gpa'"), 10, "parameter gpa is used but not declared"),
        (CLOSE.replace("-- name: close\n", ""), 1, "no line `-- name"),
        (CLOSE.replace("name: close", "name: far"), 1, "names the query far, the file close"),
        (CLOSE.replace("= 0.3", "= much"), 5, "the default much is not a DOUBLE literal"),
        (CLOSE.replace("= 'all'", "= all"), 4, "the default all is not a VARCHAR literal"),
        (CLOSE.replace("DOUBLE = 0.3", "REAL = 0.3"), 5, "type REAL is not one of"),
        ("", 1, "no line `-- name"),
    ],
)
def test_a_broken_header_names_file_and_line(
    home: Path, write: Write, text: str, line: int, words: str
) -> None:
    path = write("close", text)
    error = refusal(home, "close")
    assert error.message.startswith(f"{path}:{line}: ")
    assert words in error.message
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (CLOSE.replace("WHERE", "WERE"), 10, "Parser Error"),
        (CLOSE.replace("model_a, model_b", "model_a, model_c"), 6, "model_c"),
        (CLOSE.replace("study_pairs", "study_pears"), 7, "study_pears"),
    ],
)
def test_broken_sql_names_file_and_line(
    home: Path, write: Write, text: str, line: int, words: str
) -> None:
    path = write("close", text)
    error = refusal(home, "close")
    assert error.message.startswith(f"{path}:{line}: ")
    assert words in error.message


@pytest.mark.parametrize("sql", ["", "SELECT 1; SELECT 2", "DELETE FROM models"])
def test_sql_that_is_not_one_question_names_the_file(home: Path, write: Write, sql: str) -> None:
    path = write("odd", f"-- name: odd\n-- description: d\n{sql}")
    assert refusal(home, "odd").message.startswith(f"{path}: ")


def test_a_broken_file_breaks_no_other(home: Path, write: Write) -> None:
    write("broken", "SELECT 1")
    write("good", SIMPLE.format("good"))
    assert opened(home).query("good").item() == 3
    assert opened(home).query("models").height == 3
    found = own_queries(home)
    assert (list(found.queries), list(found.problems)) == (["good"], ["broken"])


def test_a_name_of_the_library_stays_the_librarys(home: Path, write: Write) -> None:
    path = write("models", SIMPLE.format("models"))
    assert opened(home).query("models").height == 3
    problem = own_queries(home).problems["models"]
    assert problem.message == f"{path}: the library has a query models"
    assert problem.remedy == "give yours another name"


def test_files_that_are_no_text_are_problems(home: Path) -> None:
    folder = home / "queries"
    (folder / "latin.sql").write_bytes(b"-- name: latin\n-- description: caf\xe9\n")
    (folder / "folder.sql").mkdir()
    (folder / "with space.sql").write_text("SELECT 1")
    (folder / ".hidden.sql").write_bytes(b"\x00\xff")
    (folder / "notes.txt").write_text("no query")
    problems = own_queries(home).problems
    assert list(problems) == ["folder", "latin", "with space"]
    assert "latin.sql:2: the text is not UTF-8" in problems["latin"].message
    assert "no name for a query" in problems["with space"].message


def test_windows_text_is_read(home: Path) -> None:
    text = SIMPLE.format("windows").replace("\n", "\r\n")
    (home / "queries" / "windows.sql").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert opened(home).query("windows").item() == 3


def test_an_unknown_name_is_compared_with_own_names_too(home: Path, write: Write) -> None:
    write("close", CLOSE)
    assert refusal(home, "clos").remedy == "did you mean close?"


def test_a_home_without_queries_has_none(tmp_path: Path) -> None:
    assert own_queries(tmp_path).queries == {}
