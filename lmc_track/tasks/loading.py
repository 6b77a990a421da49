"""From the study file's ``[task]`` section to the task itself."""

from __future__ import annotations

from collections.abc import Mapping

from lmc_track.errors import InputError
from lmc_track.study.imported_section import ImportedTask
from lmc_track.study.tabular_section import TabularTask
from lmc_track.study.task_sections import AgreementTask, AnyTask, ColaTask, MnliTask
from lmc_track.tasks.task import Task


def load_task(section: AnyTask, environ: Mapping[str, str]) -> Task:
    """The task that ``section`` describes; its data are read when they are asked for.

    Raises:
        InputError: the section is that of imported results.
    """
    if isinstance(section, ImportedTask):
        raise InputError(
            "the study holds imported results: there is nothing to finetune, evaluate or measure",
            "What can be done with them: lmc-track import, ingest, cluster, query, report.",
        )
    if isinstance(section, AgreementTask):
        from lmc_track.tasks.agreement import Agreement

        return Agreement(section)
    if isinstance(section, ColaTask):
        from lmc_track.tasks.cola import Cola

        return Cola(section, environ)
    if isinstance(section, MnliTask):
        from lmc_track.tasks.mnli import Mnli

        return Mnli(section, environ)
    if isinstance(section, TabularTask):
        from lmc_track.tasks.tabular import Tabular

        return Tabular(section, environ)
    from lmc_track.tasks.qqp import Qqp

    return Qqp(section, environ)
