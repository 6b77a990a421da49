"""Every check of the program's surroundings, each by itself: one that fails stops no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lmc_track.errors import InputError, LmcTrackError
from lmc_track.redaction import redacted
from lmc_track.steps.check_machine import (
    check_credentials,
    check_device,
    check_disks,
    check_packages,
    check_permissions,
    check_python,
)
from lmc_track.steps.findings import Finding, fail
from lmc_track.tracking.location import Location

Check = Callable[[], Iterator[Finding]]


def examine(
    location: Location,
    study: str | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    files: bool = False,
) -> Iterator[Finding]:
    """What every check finds, as they are made; nothing is written and nothing downloaded.

    ``study`` is a study file, or the name of a recorded study, whose data are then looked at more
    closely; without, all recorded studies are looked at. With ``files`` every artifact on record is
    read and compared with its digest.
    """
    environ = os.environ if environ is None else environ
    for name, check in _checks(location, study, environ, files).items():
        try:
            yield from check()
        except LmcTrackError as error:
            yield fail(name, _shown(error.message, location), error.remedy)
        except Exception as error:  # whatever is broken, the others are still worth knowing
            reason = _shown(str(error).strip().partition("\n")[0][:300], location)
            yield fail(name, f"{type(error).__name__}: {reason}", "")


def _checks(
    location: Location, study: str | None, environ: Mapping[str, str], files: bool
) -> dict[str, Check]:
    """In the order in which they are shown: what loads heavy packages comes last."""

    def results() -> Iterator[Finding]:
        from lmc_track.steps.check_record import check_results

        return check_results(location)

    def locks() -> Iterator[Finding]:
        from lmc_track.steps.check_record import check_locks

        return check_locks(location)

    def sqlite() -> Iterator[Finding]:
        from lmc_track.steps.check_record import check_sqlite

        return check_sqlite(location)

    def store() -> Iterator[Finding]:
        from lmc_track.steps.check_record import check_store

        return check_store(location)

    def place() -> Iterator[Finding]:
        from lmc_track.steps.check_record import check_place

        return check_place(location)

    def data_folder() -> Iterator[Finding]:
        from lmc_track.steps.check_studies import check_data_folder

        return check_data_folder(environ)

    def artifacts() -> Iterator[Finding]:
        return _artifacts(location, study)

    def studies() -> Iterator[Finding]:
        return _studies(location, study, environ)

    return {
        "Python": check_python,
        "packages": check_packages,
        "disks": lambda: check_disks(location),
        "permissions": lambda: check_permissions(location),
        "credentials": lambda: check_credentials(location, environ),
        "locks": locks,
        "results": results,
        "SQLite": sqlite,
        "tracking store": store,
        "place": place,
        "data folder": data_folder,
        "studies": studies,
        **({"files": artifacts} if files else {}),
        "device": check_device,
    }


def _studies(
    location: Location, study: str | None, environ: Mapping[str, str]
) -> Iterator[Finding]:
    from lmc_track.steps.check_studies import check_data, check_studies
    from lmc_track.tracking.inspection import look_at
    from lmc_track.tracking.schema_revision import check_revision

    if study is not None and (Path(study).suffix == ".toml" or Path(study).is_file()):
        from lmc_track.study import read_study

        yield from check_data(read_study(Path(study)), environ, everything=True)
        return
    if not location.lacks_store:
        try:
            look_at(location)
            if location.artifact_root is not None:
                check_revision(location)
        except LmcTrackError:  # told by the check of the store
            return
        yield from check_studies(location, environ, study)
    elif study is not None:
        raise InputError(f"there is no study {study!r}: no store is made yet", "Correct its name.")


def _artifacts(location: Location, study: str | None) -> Iterator[Finding]:
    from lmc_track.steps.check_files import check_files
    from lmc_track.tracking.inspection import look_at

    if study is not None and (Path(study).suffix == ".toml" or Path(study).is_file()):
        from lmc_track.study import read_study

        study = read_study(Path(study)).name
    file = location.sqlite_file
    if file is None or file.exists():
        try:
            look_at(location)
        except LmcTrackError:  # told by the check of the store
            return
        yield from check_files(location, study)


def _shown(text: str, location: Location) -> str:
    """``text`` without secrets, those of the store's address among them."""
    return redacted(text.replace(location.tracking_uri, location.shown_uri))
