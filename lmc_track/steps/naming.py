"""Giving a recorded study another name, or another description."""

from __future__ import annotations

from contextlib import ExitStack

from lmc_track.errors import InputError
from lmc_track.names import is_name
from lmc_track.steps.recording import find_recorded
from lmc_track.tracking.experiments import study_called
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.studies import describe_study, rename_study


def rename_step(study: str, new: str, location: Location) -> None:
    """Call the recorded study ``study`` ``new`` from now on; its runs and files stay as they are.

    Raises:
        InputError: it is not recorded, or ``new`` is no name or another study's.
        WorkError: it is being worked on.
    """
    if not is_name(new):
        raise InputError(
            f"{new!r} is not a name of a study",
            "Use letters, digits and _ . - (at most 100), such as cola-bert.",
        )
    find_recorded(study, location, kinds=())  # says what there is; before locks, which make a home
    store = Store(location)
    with ExitStack() as held:
        for name in sorted({study, new}):
            held.enter_context(study_lock(location, name))
        found = study_called(store, study)
        assert found is not None
        if found.title == new:
            return
        with reporting(location):
            taken = store.client.get_experiment_by_name(new)
        if taken is not None:
            gone = ", which was deleted there" if taken.lifecycle_stage == "deleted" else ""
            raise InputError(
                f"MLflow has an experiment {new!r} already{gone}", "Choose another name."
            )
        rename_study(store, found, new)


def describe_step(study: str, text: str, location: Location) -> None:
    """Describe the recorded study ``study``; an empty ``text`` brings back its file's own words.

    Raises:
        InputError: it is not recorded.
        WorkError: it is being worked on.
    """
    find_recorded(study, location, kinds=())
    with study_lock(location, study):
        describe_study(Store(location), find_recorded(study, location, kinds=()), text)
