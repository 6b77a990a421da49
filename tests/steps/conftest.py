from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lmc_track.tracking.location import Location
from support.stores import empty_home


@pytest.fixture
def home(tmp_path: Path) -> Location:
    """An empty home."""
    return empty_home(tmp_path / "home")


@pytest.fixture(scope="session")
def base_cache(finished: Location) -> Path:
    return finished.cache / "base"


@pytest.fixture
def home_with_base(home: Location, base_cache: Path) -> Location:
    """An empty home that has the tiny study's base model already."""
    shutil.copytree(base_cache, home.cache / "base")
    return home
