"""From the study file's ``[task]`` section to the task itself."""

from __future__ import annotations

from collections.abc import Mapping

from lmc_track.study.sections import AgreementTask, ColaTask
from lmc_track.tasks.task import Task


def load_task(section: AgreementTask | ColaTask, environ: Mapping[str, str]) -> Task:
    """The task that ``section`` describes; its data are read when they are asked for."""
    if isinstance(section, AgreementTask):
        from lmc_track.tasks.agreement import Agreement

        return Agreement(section)
    from lmc_track.tasks.cola import Cola

    return Cola(section, environ)
