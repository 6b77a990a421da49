"""A results file and its log may be a stranger's: what they define is not run, what they say is not
believed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lmc_track.errors import InputError, WorkError
from lmc_track.progress import Silent
from lmc_track.steps.check_record import check_results
from lmc_track.steps.export import export_study
from lmc_track.tracking.location import locate
from lmc_track.warehouse import definitions
from lmc_track.warehouse.connection import Limits, exporting, reading
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.recorded import recorded
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.views import view_texts
from lmc_track.warehouse.writing import connect
from support.handmade_study import TRACKING_URI, handmade_snapshot

SECRET = "hunter2-in-a-file"
REMEDY = "run `lmc-track ingest`, which writes the results anew from MLflow"

Alter = Callable[[str], Path]


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("genuine")
    rebuild(
        folder / "results.duckdb", handmade_snapshot(folder, [0.25, 0.25], {(0, 1): {0.5: 0.5}})
    )
    return folder / "results.duckdb"


@pytest.fixture
def altered(genuine: Path, tmp_path: Path) -> Alter:
    """A copy of the results, changed by a stranger."""
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")

    def alter(statement: str) -> Path:
        path = Path(shutil.copy(genuine, tmp_path / "results.duckdb"))
        with duckdb.connect(str(path)) as stranger:
            stranger.execute(statement.format(home=tmp_path))
        return path

    return alter


@pytest.fixture
def with_forged_log(genuine: Path, tmp_path: Path) -> Path:
    """The genuine file beside a log that says of every model that its loss is another."""
    path = Path(shutil.copy(genuine, tmp_path / "results.duckdb"))
    with duckdb.connect(str(path)) as stranger:
        stranger.execute("PRAGMA disable_checkpoint_on_shutdown")
        stranger.execute("UPDATE evaluations SET value = 9.99")
    assert path.with_name("results.duckdb.wal").exists()
    assert path.read_bytes() == genuine.read_bytes()
    return path


PLANTED = {
    "view": "CREATE VIEW mine AS FROM read_text('{home}/secret.csv')",
    "known view": "CREATE OR REPLACE VIEW curves AS SELECT * REPLACE (9.99 AS value) FROM "
    "(SELECT s.study, path_id, dataset, subset, half, metric, 0.5 AS alpha, value "
    "FROM evaluations, paths s)",
    "view for a table": "DROP TABLE models; "
    "CREATE VIEW models AS FROM read_csv('{home}/secret.csv')",
    "view of versions": "CREATE TABLE kept AS FROM schema_version; DROP TABLE schema_version; "
    "CREATE VIEW schema_version AS FROM kept",
    "macro": "CREATE MACRO abs(x) AS 9.99",
    "known macro": "CREATE OR REPLACE MACRO softmax(logits) AS logits",
    "table macro": "CREATE MACRO mine() AS TABLE FROM read_text('{home}/secret.csv')",
    "table": "CREATE TABLE mine (a INTEGER)",
    "column": "ALTER TABLE models ADD COLUMN mine INTEGER DEFAULT 1",
    "default": "ALTER TABLE models ALTER COLUMN name SET DEFAULT 'x'",
    "schema": "CREATE SCHEMA mine",
    "table of storage": "CREATE TABLE storage.mine (a INTEGER)",
    "sequence": "CREATE SEQUENCE mine",
    "type": "CREATE TYPE mine AS ENUM ('a')",
    "index": "CREATE INDEX mine ON models (name)",
    "nothing of a view": "DROP VIEW barriers",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_only_what_this_program_defines_is_in_the_results(altered: Alter, planted: str) -> None:
    path = altered(PLANTED[planted])
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        open_results(path)
    assert caught.value.exit_code == 2
    assert "lmc-track ingest" in caught.value.remedy
    assert SECRET not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ("view", "the view mine"),
        ("known view", "another definition of the view curves"),
        ("macro", "the macro abs"),
        ("known macro", "another definition of the macro softmax"),
        ("table", "the table mine"),
        ("nothing of a view", "lacks the view barriers"),
    ],
)
def test_what_is_strange_is_named(altered: Alter, planted: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        open_results(altered(PLANTED[planted]))


def read_every_way(path: Path, folder: Path) -> dict[str, Callable[[], object]]:
    return {
        "query": lambda: Results(path).query("models"),
        "sql": lambda: Results(path).sql("SELECT 1"),
        "report": lambda: Results(path).at_once().__enter__(),
        "ingest": lambda: recorded(path, TRACKING_URI),
        "export": lambda: export_study("handmade", path, folder / "out", Silent()),
    }


@pytest.mark.parametrize("way", ["query", "sql", "report", "ingest", "export"])
def test_no_way_of_reading_takes_a_forged_log_in(
    with_forged_log: Path, tmp_path: Path, way: str
) -> None:
    before = with_forged_log.read_bytes()
    with pytest.raises(InputError, match=r"results.duckdb.wal lies beside") as caught:
        read_every_way(with_forged_log, tmp_path)[way]()
    assert caught.value.remedy == REMEDY
    assert with_forged_log.read_bytes() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("way", ["query", "sql", "report", "ingest", "export"])
def test_no_way_of_reading_runs_a_planted_view(altered: Alter, tmp_path: Path, way: str) -> None:
    path = altered(PLANTED["view for a table"])
    with pytest.raises(InputError, match=r"the (table|view) models"):
        read_every_way(path, tmp_path)[way]()
    assert not (tmp_path / "out").exists()


def test_doctor_names_a_forged_log(with_forged_log: Path) -> None:
    (finding,) = check_results(locate(str(with_forged_log.parent), TRACKING_URI, {}))
    assert "lies beside the results" in finding.found
    assert finding.remedy == REMEDY


def test_a_file_that_is_written_anew_has_no_log(with_forged_log: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="lies beside the results"):
        connect(with_forged_log)
    rebuild(with_forged_log, handmade_snapshot(tmp_path / "s", [0.25], {}))
    assert not with_forged_log.with_name("results.duckdb.wal").exists()
    assert open_results(with_forged_log).query("models").height == 1


def test_a_reading_connection_opens_no_file(genuine: Path, tmp_path: Path) -> None:
    """Not even those that DuckDB allows because they are attached."""
    for statement in (
        f"FROM read_blob('{genuine}')",
        f"COPY (SELECT 1) TO '{genuine}' (FORMAT csv, USE_TMP_FILE false)",
        f"COPY (SELECT 1) TO '{genuine}.wal' (FORMAT csv, USE_TMP_FILE false)",
        f"COPY (SELECT 1) TO '{tmp_path}/new.csv'",
        f"ATTACH '{tmp_path}/new.duckdb'",
        "SET enable_external_access = true",
        "SET disabled_filesystems = ''",
    ):
        with pytest.raises(InputError), reading(genuine, None, Limits()) as connection:
            connection.execute(statement)
    assert sorted(file.name for file in genuine.parent.glob("results*")) == ["results.duckdb"]
    assert not list(tmp_path.iterdir())


def test_an_export_writes_to_its_folder_alone(genuine: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")
    for statement in (
        f"FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/new.csv'",
        f"COPY (SELECT 1) TO '{tmp_path}/out-of-it.csv'",
        "SET enable_external_access = true",
    ):
        with (
            pytest.raises(WorkError),
            exporting(genuine, None, tmp_path / "out", tmp_path / "scratch") as connection,
        ):
            connection.execute(statement)
    with exporting(genuine, None, tmp_path / "out", tmp_path / "scratch") as connection:
        connection.execute(f"COPY (SELECT 1) TO '{tmp_path}/out/new.csv'")
    names = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.csv")}
    assert names == {"secret.csv", "out/new.csv"}


def test_a_writing_connection_reads_no_other_file(genuine: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(genuine, tmp_path / "results.duckdb"))
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")
    for statement in (
        f"FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/new.csv'",
    ):
        with connect(path) as connection, pytest.raises(duckdb.Error, match="Permission"):
            connection.execute(statement)


def test_what_is_expected_follows_from_what_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was kept of it is of this version, or made again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    definitions.expected.cache_clear()
    try:
        made = definitions.expected()
        (kept,) = (tmp_path / "lmc-track").iterdir()
        with duckdb.connect(":memory:") as connection:
            definitions.create_all(connection)
            assert definitions.definitions(connection, "memory") == made
        for content in ("", "{", "null", "[[1]]"):
            kept.write_text(content)
            definitions.expected.cache_clear()
            assert definitions.expected() == made
        definitions.expected.cache_clear()
        monkeypatch.setattr(definitions, "view_texts", lambda: view_texts()[:2])
        assert definitions.expected() < made
        assert len(list((tmp_path / "lmc-track").iterdir())) == 2
    finally:
        definitions.expected.cache_clear()
