"""``lmc-track plan``: rows for numbers of models, and what cannot be planned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lmc_track.steps import power as step
from support.programs import Lmc
from support.stores import empty_home
from support.studies import tiny_content
from support.study_files import to_toml

FAR = ("--share", ".5", "--within", ".09", "--between", ".6", "--draws", "4")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "needed", lambda *_args, **_options: 12)


def test_one_row_for_each_number_of_models(in_process: Lmc) -> None:
    done = in_process("plan", *FAR, "--models", "8,4", "--format", "json")
    assert done.code == 0, done.err
    rows = json.loads(done.out)
    assert [row["models"] for row in rows] == [4, 8]
    for row in rows:
        assert row["power_low"] <= row["power"] <= row["power_high"]
        assert row["power"] <= 1
        assert 0 < row["two_of_minority"] < 1
    assert "About 12 models are needed" in done.err


def test_kept_powers_need_no_simulation(in_process: Lmc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "power", None)
    monkeypatch.setattr(step, "PUBLISHED_FOUND", {8: 9, 16: 40})
    done = in_process("plan", "--models", "8,16", "--format", "json")
    assert [row["power"] for row in json.loads(done.out)] == [0.09, 0.4]


def test_a_study_file_adds_hours_and_disk(in_process: Lmc, tmp_path: Path) -> None:
    home = empty_home(tmp_path / "home")
    path = tmp_path / "study.toml"
    path.write_text(to_toml(tiny_content()))
    done = in_process(
        "plan", str(path), *FAR, "--models", "4,8", "--format", "json",
        "--home", str(home.home),
    )  # fmt: skip
    assert done.code == 0, done.err
    four, eight = json.loads(done.out)
    assert 0 < 2 * four["hours"] < eight["hours"]
    assert 0 < 2 * four["gigabytes"] < eight["gigabytes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--share", "0"), ("share of the minority",)),
        (("--share", ".7"), ("at most .5", "--share")),
        (("--within", ".1", "--between", ".05"), ("larger than those within",)),
        (("--within=-.1",), ("at least 0",)),
        (("--within", ".1,.2,.3"), ("3 gaps", "Give one, or two")),
        (("--within", "wide"), ("'wide' is not a list of numbers",)),
        (("--models", "3,8"), ("3 models", "at least 4")),
        (("--models", "8.5"), ("whole numbers",)),
        (("--draws", "0"), ("--draws",)),
        (("--set", "finetune.seeds=1"), ("name a STUDY",)),
    ],
)
def test_what_cannot_be_planned(
    in_process: Lmc, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = in_process("plan", *arguments)
    assert (done.code, done.out) == (2, "")
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err


def test_an_unknown_study(in_process: Lmc, tmp_path: Path) -> None:
    home = empty_home(tmp_path / "home").home
    done = in_process("plan", "nothing", "--home", str(home))
    assert (done.code, done.out) == (2, "")
    assert "there is no study 'nothing'" in done.err


def test_an_unknown_study_where_no_home_is(in_process: Lmc, tmp_path: Path) -> None:
    done = in_process("plan", "nothing", "--home", str(tmp_path / "home"))
    assert (done.code, done.out) == (2, "")
    assert f"there is no home at {tmp_path / 'home'}" in done.err
