"""The back ends that a study may be kept by, each real and running."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lmc_track.progress import Silent
from lmc_track.steps.ingest import ingest
from lmc_track.steps.plane import plane_step
from lmc_track.steps.plane_works import GridSettings
from lmc_track.tracking.location import Location, locate
from support.servers import MlflowServer, Postgres, mlflow_server, postgres_cluster
from support.stores import empty_home
from support.studies import run_tiny, tiny_study


@dataclass(frozen=True)
class Backend:
    """A tracking store at ``uri``, or the home's own; ``env`` is what its users have to set."""

    name: str
    uri: str | None = None
    env: dict[str, str] = field(default_factory=dict)

    def location(self, home: Path) -> Location:
        return locate(str(home), self.uri, {})


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """A server that asks for a name and a password."""
    with mlflow_server(tmp_path_factory.mktemp("server"), secured=True) as running:
        yield running


@pytest.fixture(scope="session")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> Location:
    """The tiny study in a home, as every back end is to hold it."""
    location = empty_home(tmp_path_factory.mktemp("home") / "home")
    run_whole(location)
    return location


def run_whole(location: Location) -> None:
    """The tiny study and a plane of it, up to the results."""
    run_tiny(location)
    trio = ("seed-0", "seed-1", "seed-2")
    plane_step(tiny_study(), trio, location, Silent(), GridSettings(3, 0.0))
    ingest(location, Silent())
