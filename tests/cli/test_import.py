"""``lmc-track import`` from outside: what it says, and one error for bad input."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.published_logs import evaluation_log, pair_log, write_json

from .conftest import Run


@pytest.mark.full
def test_an_imported_study_can_be_asked(lmc: Run, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(
        "run,validation,hans:ln_a\nRun 0,.8,.1\nRun 1,.9,\nMean,,\n"
    )
    done = lmc("import", "scores", "scores.csv", "--study", "other", "--match", r"Run (\d+)")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 row is left out: Mean." in done.stderr
    assert "1 cell is empty" in done.stderr
    assert lmc("ingest").returncode == 0
    rows = lmc("query", "diagnostics", "--format", "csv").stdout.splitlines()
    assert [row.split(",")[:8] for row in rows[1:3]] == [
        ["0", "0", "", "validation", "validation", "all", "accuracy", "all"],
        ["1", "1", "", "validation", "validation", "all", "accuracy", "all"],
    ]


def test_bad_input_is_one_error_and_nothing_is_recorded(lmc: Run, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("run,dev\na,.8\nb,good\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "out.log").write_text(pair_log("0", "1", [1, 2, 1])[:300])
    write_json(tmp_path / "answers.json", evaluation_log({"a": 0, "b": 2}, []))
    write_json(tmp_path / "clusters.json", {"a": {"b": []}})
    wrong = {
        "scores": ("scores.csv", "scores.csv, line 3"),
        "interpolation-logs": ("logs", "out.log, line"),
        "evaluation-logs": ("answers.json", "answers.json: label_dict"),
        "clusters": ("clusters.json", "clusters.json: this is no list"),
    }
    for command, (file, where) in wrong.items():
        more = ("--dataset", "x") if command == "evaluation-logs" else ()
        done = lmc("import", command, file, "--study", "other", *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("Error: ")
        assert where in done.stderr
    assert not (tmp_path / "mlruns").exists()


def test_an_unknown_kind_is_refused(lmc: Run) -> None:
    done = lmc("import", "weights", "file", "--study", "other")
    assert done.returncode == 2
    assert "No such command 'weights'" in done.stderr
