"""Every check says what it saw by itself: what is broken fails, and the others still tell."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from lmc_track.steps import check_machine
from lmc_track.steps.check_machine import check_packages, check_permissions
from lmc_track.steps.check_studies import check_data
from lmc_track.steps.doctor import examine
from lmc_track.steps.findings import Finding, Verdict
from lmc_track.study import build_study
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.lock import study_lock
from support.stores import copied_home, empty_home, older_home, schema_of
from support.studies import runs_of


def told(location: Location, study: str | None = None, **environ: str) -> dict[str, Finding]:
    return {one.check: one for one in examine(location, study, environ)}


def failing(findings: dict[str, Finding]) -> set[str]:
    return {name for name, one in findings.items() if one.verdict is Verdict.FAIL}


def test_a_finished_study_is_well(finished: Location) -> None:
    findings = told(finished)
    assert failing(findings) == set()
    assert findings["SQLite journal"].found.startswith("WAL")
    assert findings["label order of tiny"].found.startswith("4 models")
    assert "1 study" in findings["tracking store"].found
    assert "4 models" in findings["results"].found


def test_an_empty_home_is_well_and_stays_empty(tmp_path: Path) -> None:
    location = locate(str(tmp_path / "none"), environ={})
    assert failing(told(location)) == set()
    assert not location.home.exists()


def test_a_broken_home_fails_check_by_check(tmp_path: Path) -> None:
    location = locate(str(tmp_path), environ={})
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 500)
    location.results_path.write_bytes(b"no results" * 500)
    findings = told(location, LMC_DATA_DIR=str(tmp_path / "none"))
    assert failing(findings) == {"results", "SQLite", "tracking store", "data folder"}
    assert {"Python", "device", "permissions"} <= findings.keys()
    assert all(one.remedy for one in findings.values() if one.verdict is Verdict.FAIL)


def test_a_server_that_is_gone_is_told(tmp_path: Path) -> None:
    findings = told(locate(str(tmp_path), "http://127.0.0.1:1", environ={}))
    assert failing(findings) == {"tracking store"}
    assert "127.0.0.1:1" in findings["tracking store"].found


def test_no_password_is_shown(tmp_path: Path) -> None:
    uri = "postgresql://somebody:secret@127.0.0.1:1/lmc"
    findings = told(locate(str(tmp_path), uri, environ={}), MLFLOW_TRACKING_PASSWORD="hidden")
    assert failing(findings) == {"tracking store"}
    assert findings["credentials"].verdict is Verdict.WARN
    assert "MLFLOW_TRACKING_PASSWORD" in findings["credentials"].found
    shown = "".join(one.found + one.remedy for one in findings.values())
    assert "secret" not in shown
    assert "hidden" not in shown


def test_tables_of_another_mlflow_fail(tmp_path: Path) -> None:
    location = empty_home(tmp_path)
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'another'")
    connection.close()
    finding = told(location)["MLflow schema"]
    assert finding.verdict is Verdict.FAIL
    assert "written by a newer MLflow" in finding.found
    assert "pip install --upgrade mlflow" in finding.remedy


def test_tables_of_an_older_mlflow_fail_and_stay(tmp_path: Path) -> None:
    location = older_home(tmp_path)
    before = schema_of(location)
    finding = told(location)["MLflow schema"]
    assert schema_of(location) == before
    assert finding.verdict is Verdict.FAIL
    assert f"lmc-track upgrade --home {location.home}" in finding.remedy


def test_a_journal_that_makes_readers_wait_is_warned_of(tmp_path: Path) -> None:
    location = empty_home(tmp_path)
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    assert told(location)["SQLite journal"].verdict is Verdict.WARN


def test_a_model_that_answers_in_another_order_is_named(finished: Location, tmp_path: Path) -> None:
    home = copied_home(finished, tmp_path / "home")
    run = runs_of(home).all("model")[1]
    config = home.home / "artifacts" / "tiny" / run.run_id / "artifacts" / "model" / "config.json"
    content = json.loads(config.read_text())
    content["id2label"] = {"0": "acceptable", "1": "unacceptable"}
    config.write_text(json.dumps(content))
    finding = told(home)["label order of tiny"]
    assert finding.verdict is Verdict.FAIL
    assert f"{run.name} has another order: acceptable, unacceptable" in finding.found


def test_a_lock_that_is_held_is_told(tmp_path: Path) -> None:
    location = empty_home(tmp_path)
    with study_lock(location, "mine"):
        assert "study mine: held" in told(location)["locks"].found
    assert told(location)["locks"].found == "none is held"


def test_data_that_are_not_what_the_task_expects_fail(tmp_path: Path) -> None:
    study = build_study({"study": {"name": "s"}, "task": {"name": "cola"}, "model": {"base": "b"}})
    (finding,) = check_data(study, {"LMC_DATA_DIR": str(tmp_path)})
    assert finding.verdict is Verdict.FAIL
    assert "holds no CoLA files" in finding.found


def test_packages_other_than_those_tested_are_warned_of(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text("click==0.1\n")
    (finding,) = check_packages(pins)
    assert finding.verdict is Verdict.WARN
    assert "click" in finding.found


def test_packages_out_of_range_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["click<1", "no-such-package>=2", "numpy; extra == 'more'"]
    monkeypatch.setattr(check_machine, "requires", lambda _: needed)
    (finding,) = check_packages()
    assert finding.verdict is Verdict.FAIL
    assert "no-such-package is not installed" in finding.found
    assert "numpy" not in finding.found


def test_a_little_room_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    location = locate(str(tmp_path), environ={})
    for free, verdict in ((10**8, Verdict.FAIL), (10**9, Verdict.WARN), (10**10, Verdict.OK)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, f=free: usage._replace(free=f))
        (finding,) = check_machine.check_disks(location)
        assert finding.verdict is verdict


def test_what_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_machine.os, "access", lambda path, _: Path(path).name != "cache")
    location = locate(str(tmp_path), environ={})
    (tmp_path / "cache").mkdir()
    (finding,) = check_permissions(location)
    assert finding.verdict is Verdict.FAIL
    assert finding.found == f"{tmp_path / 'cache'} cannot be written"
