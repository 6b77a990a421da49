"""kill -9 at moments drawn over a whole study, then the same command again."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from lmc_track.tracking.location import locate
from support.forked_programs import Programs
from support.stores import empty_home
from support.undisturbed import Undisturbed, assert_as_undisturbed, finished_ids

pytestmark = pytest.mark.full

# How many moments of which step. Every step is drawn from, since one of few moments would
# hardly ever be hit among thousands; within a step every moment (see ``faulty``) is as likely.
STEPS = {
    "beginning": 1,
    "finetuning": 1,
    "measuring": 1,
    "logging": 3,
    "ingesting": 2,
    "clustering": 1,
    "reporting": 1,
}
SEED = 20


@pytest.mark.parametrize(
    ("nth", "step"), [(n, s) for s, times in STEPS.items() for n in range(times)]
)
def test_a_study_killed_anywhere_goes_on_where_it_was(
    nth: int, step: str, lmc: Programs, undisturbed: Undisturbed, study_file: str, tmp_path: Path
) -> None:
    moments = random.Random(f"{SEED} {step}").sample(
        range(1, undisturbed.moments[step] + 1), STEPS[step]
    )
    location = locate(str(tmp_path / "home"), environ={})
    if step != "beginning":
        undisturbed.base_into(empty_home(location.home))
    command = ("run", study_file, "--home", str(location.home))
    ended = lmc(*command, fault=("killed", step, moments[nth]))
    assert ended.code == -signal.SIGKILL, ended.err
    before = finished_ids(location)
    lmc(*command).went_well()
    assert before <= finished_ids(location)
    assert_as_undisturbed(location, undisturbed.location)
