from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lmc_track.tracking.location import Location, locate
from support.forked_programs import Programs, served_programs
from support.stores import empty_home
from support.studies import tiny_content
from support.study_files import to_toml
from support.undisturbed import Undisturbed

SECTIONS = {"finetune": {"seeds": "0-2", "max_steps": 3}, "interpolate": {"points": 4}}


@pytest.fixture(scope="session")
def lmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Runs the program, with a fault where one is given."""
    with served_programs(tmp_path_factory.mktemp("programs")) as programs:
        yield programs


@pytest.fixture(scope="session")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(to_toml(tiny_content(**SECTIONS)))
    return str(path)


@pytest.fixture(scope="session")
def undisturbed(
    lmc: Programs, study_file: str, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    home, counts = tmp_path_factory.mktemp("undisturbed"), tmp_path_factory.mktemp("counts") / "n"
    lmc("run", study_file, "--home", str(home), fault=("counted", str(counts))).went_well()
    return Undisturbed(locate(str(home), environ={}), json.loads(counts.read_text()))


@pytest.fixture
def home(undisturbed: Undisturbed, tmp_path: Path) -> Location:
    """An empty home that has the study's base model already."""
    return undisturbed.base_into(empty_home(tmp_path / "home"))


@pytest.fixture
def finished(undisturbed: Undisturbed, tmp_path: Path) -> Location:
    """A copy of the finished study."""
    return undisturbed.copied(tmp_path / "home")
