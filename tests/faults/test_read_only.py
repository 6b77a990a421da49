"""A home that cannot be written: what only reads goes on, what writes says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from lmc_track.tracking.location import Location
from support.forked_programs import Programs

pytestmark = pytest.mark.full

BOUND = ("bound by permissions",)


@pytest.fixture
def read_only(finished: Location) -> Location:
    paths = [finished.home, *finished.home.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return finished


@pytest.mark.parametrize(
    "reading",
    [
        ("query", "paths"),
        ("sql", "SELECT count(*) FROM paths"),
        ("status",),
    ],
    ids=lambda words: words[0],
)
def test_what_only_reads_goes_on(
    reading: tuple[str, ...], lmc: Programs, read_only: Location
) -> None:
    done = lmc(*reading, "--home", str(read_only.home), fault=BOUND).went_well()
    assert done.out


def test_a_report_goes_to_another_folder(
    lmc: Programs, read_only: Location, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    done = lmc("report", "tiny", "--out", str(out), "--home", str(read_only.home), fault=BOUND)
    assert done.went_well().out.strip() == str(out)
    assert "not kept in MLflow" in done.err
    assert out.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "writing", ["run", "finetune", "interpolate", "ingest", "report", "cluster"]
)
def test_what_writes_says_what_to_do(
    writing: str, lmc: Programs, read_only: Location, study_file: str
) -> None:
    study = () if writing == "ingest" else (study_file,)
    told = lmc(writing, *study, "--home", str(read_only.home), fault=BOUND)
    told.refused(str(read_only.home), "cannot be written", "--home", code=2)
