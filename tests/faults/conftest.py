from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from lmc_track.tracking.location import Location, locate
from support.programs import Programs, served_programs
from support.stores import copied_home, empty_home
from support.studies import tiny_content
from support.study_files import to_toml

SECTIONS = {"finetune": {"seeds": "0-2", "max_steps": 3}, "interpolate": {"points": 4}}


@dataclass(frozen=True)
class Undisturbed:
    """A finished study that no test may change, and how many moments each step of it had."""

    location: Location
    moments: dict[str, int]

    def copied(self, folder: Path) -> Location:
        """A copy of it, whose results are those of its own store."""
        location = copied_home(self.location, folder)
        with duckdb.connect(str(location.results_path)) as connection:
            connection.execute(
                "UPDATE schema_version SET tracking_uri = ?", [location.tracking_uri]
            )
        return location

    def base_into(self, location: Location) -> Location:
        """Give ``location`` the study's base model, which takes long to make."""
        shutil.copytree(self.location.cache / "base", location.cache / "base")
        return location


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
