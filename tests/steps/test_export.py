"""An export is whole or not there, the same for the same results, and read without this program."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from lmc_track.errors import InputError, WorkError
from lmc_track.progress import Silent
from lmc_track.steps import export as module
from lmc_track.steps.export import ExportReport, export_study
from lmc_track.warehouse.export import exported_items
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results
from support.handmade_study import handmade_snapshot
from support.simulated_study import merge, simulated_snapshot


@pytest.fixture(scope="module", autouse=True)
def _few_matrices() -> Iterator[None]:
    """Each is a query of its own; one measure of one metric is as good as all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MEASURES", ("convexity_gap",))
        patch.setattr(module, "GAP_METRICS", ("loss",))
        yield


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two studies of one record, one of them exported below."""
    folder = tmp_path_factory.mktemp("two")
    simulated = simulated_snapshot(folder / "record", n_models=3, n_points=3, n_examples=20)
    other = handmade_snapshot(folder / "record", [0.25, 0.5], {(0, 1): {0.5: 0.75}})
    rebuild(folder / "results.duckdb", merge(simulated, other))
    return Results(folder / "results.duckdb")


def export(results: Results, folder: Path, **options: bool) -> ExportReport:
    return export_study("simulated", results.path, folder, Silent(), **options)


@pytest.fixture(scope="module")
def exported(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(results, tmp_path_factory.mktemp("export") / "out").folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (f for f in folder.rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): f.read_bytes() for f in files}


def test_every_table_and_view_is_there_and_of_the_study_alone(exported: Path) -> None:
    for item in exported_items():
        if item.name == "predictions":
            continue
        frame = pl.read_parquet(exported / "tables" / f"{item.name}.parquet")
        assert frame.columns == [column.name for column in item.columns]
        if "study" in frame.columns:
            assert set(frame["study"]) <= {"simulated"}


def test_the_rows_are_those_of_the_results(results: Results, exported: Path) -> None:
    models = pl.read_parquet(exported / "tables" / "models.parquet")
    assert models.equals(results.sql("FROM models WHERE study = 'simulated' ORDER BY ALL"))
    evaluations = pl.read_parquet(exported / "tables" / "evaluations.parquet")
    assert evaluations.height == results.sql(
        "SELECT count(*) FROM evaluations WHERE run_id NOT LIKE 'handmade%'"
    ).item()  # fmt: skip
    examples = pl.read_parquet(exported / "tables" / "examples.parquet")
    assert examples.height == 4 * 20


def test_predictions_are_read_as_one_table(results: Results, exported: Path) -> None:
    files = str(exported / "predictions" / "**" / "*.parquet")
    by_polars = pl.scan_parquet(files, hive_partitioning=True).collect()
    by_duckdb = duckdb.sql(f"FROM read_parquet('{files}', hive_partitioning = true)").pl()
    assert by_polars.height == by_duckdb.height == (3 + 3) * 4 * 20
    wanted = results.sql("FROM predictions WHERE run_id NOT LIKE 'handmade%' ORDER BY ALL")
    assert by_polars.select(wanted.columns).sort(wanted.columns[:3]).equals(wanted)


def test_matrices_are_those_of_the_query(results: Results, exported: Path) -> None:
    file = exported / "matrices" / "convexity_gap" / "loss" / "validation" / "held-out.csv"
    matrix = results.query("barrier_matrix", study="simulated", half="held-out", order="study")
    assert pl.read_csv(file).equals(matrix.drop("cluster"))


def test_two_exports_are_equal_byte_by_byte(
    results: Results, exported: Path, tmp_path: Path
) -> None:
    assert contents(export(results, tmp_path / "again").folder) == contents(exported)


def test_checksums_are_right(exported: Path) -> None:
    lines = (exported / "SHA256SUMS").read_text().splitlines()
    found = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    wanted = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in contents(exported).items()
        if name != "SHA256SUMS"
    }
    assert found == wanted


def test_every_file_is_in_the_dictionary(exported: Path) -> None:
    package = json.loads((exported / "datapackage.json").read_text())
    listed: list[str] = []
    for resource in package["resources"]:
        paths = resource["path"]
        listed += paths if isinstance(paths, list) else [paths]
        for field in resource["schema"]["fields"]:
            assert field["description"]
        assert f"## {resource['name']}" in (exported / "DICTIONARY.md").read_text()
    assert sorted(listed) == sorted(n for n in contents(exported) if n.endswith(".parquet"))


def test_it_says_what_it_is_and_how_to_cite_it(exported: Path) -> None:
    for name in ("README.md", "CITATION.bib", "CITATION.cff"):
        text = (exported / name).read_text()
        assert "2205.12411" in text
        assert "simulated" in text
    assert json.loads((exported / "study.json").read_text())["study"] == {"name": "simulated"}


def test_the_examples_of_the_readme_run(exported: Path) -> None:
    text = (exported / "README.md").read_text()
    code = text.partition("```python\n")[2].partition("```")[0]
    code = "\n".join(line for line in code.splitlines() if "pd" not in line)
    subprocess.run([sys.executable, "-c", code], cwd=exported, check=True, timeout=60)
    sql = text.partition("```sql\n")[2].partition("```")[0]
    with duckdb.connect() as connection:
        for statement in connection.extract_statements(sql):
            here = statement.query.replace("'tables", f"'{exported}/tables")
            connection.execute(here.replace("'predictions", f"'{exported}/predictions"))


def test_predictions_can_be_left_out(results: Results, tmp_path: Path) -> None:
    folder = export(results, tmp_path / "small", predictions=False).folder
    assert not (folder / "predictions").exists()
    assert "were left out" in (folder / "README.md").read_text()


def test_an_earlier_export_is_replaced(results: Results, tmp_path: Path) -> None:
    folder = export(results, tmp_path / "out").folder
    export(results, folder, predictions=False)
    assert not (folder / "predictions").exists()
    assert [f.name for f in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_of_an_unusual_name_is_taken(results: Results, tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] *folder* ü"
    folder.mkdir()
    assert export(results, folder, predictions=False).folder == folder
    assert (folder / "tables" / "models.parquet").is_file()


def test_what_is_not_of_an_export_is_kept(results: Results, tmp_path: Path) -> None:
    folder = export(results, tmp_path / "out", predictions=False).folder
    (folder / "thesis.txt").write_text("years of work")
    before = contents(folder)
    with pytest.raises(InputError, match=r"such as thesis\.txt\n.*--overwrite"):
        export(results, folder)
    assert contents(folder) == before
    export(results, folder, predictions=False, overwrite=True)
    assert not (folder / "thesis.txt").exists()


def test_a_home_is_never_replaced(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (results.path.parent, results.path.parents[1], Path(), Path.home(), Path("/")):
        with pytest.raises(InputError, match="more than an export"):
            export(results, folder, overwrite=True)


def test_a_file_is_no_place_for_an_export(results: Results, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        export(results, tmp_path / "out", overwrite=True)
    with pytest.raises(WorkError, match="could not be written"):
        export(results, tmp_path / "out" / "below")


def test_a_failure_leaves_the_earlier_export(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(results, tmp_path / "out", predictions=False).folder
    before = contents(folder)

    def fail(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "bibtex", fail)
    with pytest.raises(WorkError, match="No space left on device"):
        export(results, folder)
    assert contents(folder) == before
    assert [f.name for f in tmp_path.iterdir()] == ["out"]


def test_a_study_that_is_not_there(results: Results, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no study 'demo'.*\n.*simulated"):
        export_study("demo", results.path, tmp_path / "out", Silent())
    assert list(tmp_path.iterdir()) == []
