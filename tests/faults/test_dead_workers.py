"""Worker processes that die under a study: their work is done by others."""

from __future__ import annotations

import pytest

from lmc_track.tracking.location import Location
from support.forked_programs import Programs
from support.undisturbed import Undisturbed, assert_as_undisturbed, finished_ids

pytestmark = pytest.mark.full


def test_a_study_whose_workers_are_killed_goes_on(
    lmc: Programs, undisturbed: Undisturbed, study_file: str, home: Location
) -> None:
    lmc("run", study_file, "--home", str(home.home), fault=("bereaved", 2)).went_well()
    assert_as_undisturbed(home, undisturbed.location)


def test_work_that_always_kills_its_worker_is_said_and_nothing_is_lost(
    lmc: Programs, undisturbed: Undisturbed, study_file: str, home: Location
) -> None:
    command = ("run", study_file, "--home", str(home.home))
    lmc(*command, fault=("bereaved", 1_000)).refused(
        "worker processes died of it", "with fewer workers: finished work is kept"
    )
    before = finished_ids(home)
    lmc(*command).went_well()
    assert before <= finished_ids(home)
    assert_as_undisturbed(home, undisturbed.location)
