"""A disk without room: said once, nothing half-written, and the same command goes on."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lmc_track.tracking.location import Location, locate
from support.moments import Pause
from support.programs import Programs
from support.stores import empty_home
from support.undisturbed import Undisturbed, assert_as_undisturbed, finished_ids

pytestmark = pytest.mark.full


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own at ``folder``."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; the limit on files stands in for it")
    folder.mkdir(parents=True, exist_ok=True)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(mounting, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=60)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    stream.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return ballast


@pytest.mark.parametrize("step", ["beginning", "finetuning", "logging", "ingesting", "reporting"])
def test_a_disk_that_fills_up_is_said_and_no_work_is_lost(
    step: str, lmc: Programs, undisturbed: Undisturbed, study_file: str, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        location = locate(str(disk / "home"), environ={})
        if step != "beginning":
            undisturbed.base_into(empty_home(location.home))
        command = ("run", study_file, "--home", str(location.home))
        pause = Pause(tmp_path)
        lmc.begin(*command, fault=pause.at(step, undisturbed.moments[step] // 3))
        pause.come()
        ballast = fill(disk)
        pause.go_on()
        lmc.end().refused("again")
        ballast.unlink()
        before = finished_ids(location)
        lmc(*command).went_well()
        assert before <= finished_ids(location)
        assert_as_undisturbed(location, undisturbed.location)


def test_a_full_cache_is_said_and_no_work_is_lost(
    lmc: Programs, undisturbed: Undisturbed, study_file: str, tmp_path: Path
) -> None:
    location = empty_home(tmp_path / "home")
    command = ("run", study_file, "--home", str(location.home))
    with small_disk(location.cache, 1) as disk:
        fill(disk)
        lmc(*command).refused("No space left", "run the same command again")
    lmc(*command).went_well()
    assert_as_undisturbed(location, undisturbed.location)


@pytest.mark.parametrize("size", [20_000, 200_000, 700_000, 2_000_000])
def test_files_that_cannot_grow_are_said_and_no_work_is_lost(
    size: int, lmc: Programs, undisturbed: Undisturbed, study_file: str, home: Location
) -> None:
    command = ("run", study_file, "--home", str(home.home))
    lmc(*command, fault=("small files", size)).refused()
    lmc(*command).went_well()
    assert_as_undisturbed(home, undisturbed.location)
