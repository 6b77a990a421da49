"""A finished study for all tests of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lmc_track.tracking.location import Location


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Location:
    """The home of a finished tiny study, which no test may change."""
    # Imported only where it is used: these take seconds.
    from support.stores import empty_home
    from support.studies import run_tiny

    location = empty_home(tmp_path_factory.mktemp("finished"))
    run_tiny(location)
    return location
