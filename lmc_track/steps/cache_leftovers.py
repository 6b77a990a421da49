"""What in a home's caches nothing refers to, and what its writers did not finish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.geometry.token_cache import encoding_of
from lmc_track.tracking.census import CountedRun
from lmc_track.tracking.keys import digest
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock_state import is_held
from lmc_track.tracking.studies import StudyFacts
from lmc_track.tracking.temporary import is_temporary

HOUR = 3600.0
"""Seconds that what belongs to no study in particular is left alone after it was last used: a
study may be about to go on record."""

_OF_A_DRIVER = ("finetuning-*", "registering-*")


@dataclass(frozen=True)
class Unfinished:
    """Files and folders whose writer is gone, or is so if an hour has passed."""

    any_time: list[Path]
    after_an_hour: list[Path]


def unfinished_files(location: Location, *, anyone_works: bool) -> Unfinished:
    """What was being written outside of artifacts; that of drivers only if none is at work."""
    home, cache = location.home, location.cache
    any_time: list[Path] = []
    if not anyone_works:
        any_time += (path for name in _OF_A_DRIVER for path in cache.glob(name))
    locks = (location.locks / "results.lock", home / f".{location.results_path.name}.lock")
    if not any(is_held(lock) for lock in locks):
        any_time += home.glob(f"{location.results_path.name}.building*")
    if not is_held(location.locks / "store.lock"):
        any_time += home.glob(".mlflow.db.new*")
    later = [
        *(
            path
            for pattern in (".*.part", "*/.*.part", "*/*/.*.part")
            for path in cache.glob(pattern)
            if is_temporary(path.name)
        ),
        *(cache / "base").glob("pretraining-*"),
        *(cache / "planes").glob("*/*.part"),
        *location.locks.glob(".probe-*"),
    ]
    return Unfinished(sorted(any_time), sorted(later))


def unused_caches(
    location: Location, studies: Sequence[StudyFacts], active: Iterable[CountedRun]
) -> list[Path]:
    """Caches that no study and no run on record refers to."""
    runs = list(active)
    return [
        *_tokens(location.cache / "tokens", studies),
        *_bases(location.cache, studies, runs),
        *_planes(location.cache / "planes", runs),
        *_downloads(location.cache / "artifacts", runs),
    ]


def _tokens(folder: Path, studies: Sequence[StudyFacts]) -> Iterator[Path]:
    """Token files of no recorded evaluation set, and all but the last used of one."""
    wanted = {data.encoding for facts in studies for data in facts.datasets}
    newest: set[str] = set()
    files = [path for path in folder.glob("*.arrow") if path.is_file()]
    for file in sorted(files, key=lambda one: (one.stat().st_mtime, one.name), reverse=True):
        encoding = encoding_of(file)
        if encoding is None or encoding not in wanted or encoding in newest:
            yield file
        else:
            newest.add(encoding)


def _bases(
    cache: Path, studies: Sequence[StudyFacts], runs: Sequence[CountedRun]
) -> Iterator[Path]:
    """Base models that were made here or fetched, and none of a study or registered model."""
    # By name: a home may have been moved since its studies were recorded.
    wanted = {part for facts in studies for part in Path(facts.base_folder).parts}
    for run in runs:
        repo, at, _ = run.params.get("origin", "").rpartition("@")
        if at:
            wanted.add(f"models--{repo.replace('/', '--')}")
    for folder in (*(cache / "base").glob("agreement-*"), *(cache / "hub").glob("models--*")):
        if folder.name not in wanted:
            yield folder


def _planes(folder: Path, runs: Sequence[CountedRun]) -> Iterator[Path]:
    """Measured rows of planes whose run is gone."""
    planes = [run for run in runs if run.kind == "plane"]
    weights = [[run.params.get(f"weights_digest_{side}") for side in "abc"] for run in planes]
    if any(None in of for of in weights):
        return
    wanted = {digest([run.key, of])[:32] for run, of in zip(planes, weights, strict=True)}
    yield from (path for path in folder.glob("*") if path.name not in wanted)


def _downloads(folder: Path, runs: Sequence[CountedRun]) -> Iterator[Path]:
    """Artifacts that were fetched from a server, of runs that are gone."""
    there = {run.run_id for run in runs}
    yield from (path for path in folder.glob("*") if path.name not in there)
