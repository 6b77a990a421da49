"""What a shell completes, asked as bash asks."""

from __future__ import annotations

from pathlib import Path

from lmc_track.tracking.location import Location

from .conftest import Run


def completed(lmc: Run, words: str, **environ: str) -> list[str]:
    asked = lmc(
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
        _LMC_TRACK_COMPLETE="bash_complete",
        **environ,
    )
    return [line.partition(",")[2] for line in asked.stdout.splitlines() if line]


def test_names_of_queries_are_completed(lmc: Run) -> None:
    assert completed(lmc, "lmc-track query gap_") == ["gap_decisions", "gap_summary"]


def test_own_queries_are_completed(lmc: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mlruns" / "queries"
    folder.mkdir(parents=True)
    (folder / "gap_own.sql").write_text(
        "-- name: gap_own\n-- description: One.\nSELECT 1 AS one\n", encoding="utf-8"
    )
    assert "gap_own" in completed(lmc, "lmc-track query gap_o")


def test_studies_and_study_files_are_completed(
    lmc: Run, finished: Location, tmp_path: Path
) -> None:
    (tmp_path / "tiny-2.toml").write_text("")
    home = str(finished.home)
    assert completed(lmc, "lmc-track report ti", LMC_HOME=home) == ["tiny", "tiny-2.toml"]


def test_where_nothing_is_recorded_nothing_is_completed(lmc: Run) -> None:
    assert completed(lmc, "lmc-track ui ti") == []
