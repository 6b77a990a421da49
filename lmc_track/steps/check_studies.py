"""Checks of what recorded studies need: their data, and models that answer in one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lmc_track.analysis.label_order import in_order, names_labels, order_by_names
from lmc_track.errors import InputError, LmcTrackError
from lmc_track.models.foreign import read_object
from lmc_track.steps.findings import Finding, fail, ok, warn
from lmc_track.study import Study, restore_study
from lmc_track.study.imported_section import ImportedTask
from lmc_track.study.tabular_section import TabularTask
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.loading import load_task
from lmc_track.tasks.sampling import TRAIN_SAMPLE, sample
from lmc_track.tracking.census import Census, CountedRun, take_census
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import StudyFacts, find_study

_MOST_TOLD = 3


def check_data_folder(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The folder that ``LMC_DATA_DIR`` names."""
    given = environ.get("LMC_DATA_DIR")
    if not given:
        yield ok("data folder", "LMC_DATA_DIR is not set: data come from the study file or the hub")
    elif not Path(given).expanduser().is_dir():
        yield fail(
            "data folder", f"LMC_DATA_DIR: there is no folder {given}", "Correct or unset it."
        )
    else:
        yield ok("data folder", f"LMC_DATA_DIR: {given}")


def check_studies(
    location: Location, environ: Mapping[str, str], name: str | None = None
) -> Iterator[Finding]:
    """Data and label orders of the recorded studies, or of ``name`` alone.

    Raises:
        InputError: ``name`` is not recorded, or the store cannot be reached.
    """
    store = Store(location)
    census = take_census(store, name)
    studies = [one for one in census.studies if not one.deleted]
    if name is not None and not studies:
        raise InputError(f"there is no study {name!r} in {location.shown_uri}", "Correct its name.")
    for one in studies:
        try:
            record = find_study(store, one.study, kinds=())
        except LmcTrackError as error:
            yield fail(f"study {one.study}", error.message, error.remedy)
            continue
        if record is None:
            yield warn(
                f"study {one.study}",
                "has no finished run of its own",
                "Run its study file: that makes it anew.",
            )
            continue
        facts = record.facts
        study = restore_study(facts.file, source=f"the recorded study {one.study!r}")
        yield from check_data(study, environ, facts, everything=name is not None)
        yield from _check_order(store, facts, _models(census, one.experiment_id))


def check_data(
    study: Study,
    environ: Mapping[str, str],
    facts: StudyFacts | None = None,
    *,
    everything: bool = False,
) -> Iterator[Finding]:
    """Whether the evaluation sets of ``study`` can be read, and are those of its record ``facts``.

    What is drawn from the training set, which may be large, is read only with ``everything``.
    Nothing is downloaded.
    """
    check = f"data of {study.name}"
    if isinstance(study.task, ImportedTask):
        return
    if isinstance(study.task, AgreementTask):
        yield ok(check, "made by the program")
        return
    folder = getattr(study.task, "data_dir", None) or environ.get("LMC_DATA_DIR")
    if not folder and not isinstance(study.task, TabularTask):
        yield ok(check, "from the hub, which is not asked")
        return
    try:
        task = load_task(study.task, environ)
        wanted = list(study.evaluate.datasets or task.evaluation_sets)
        names = [one for one in wanted if everything or one != TRAIN_SAMPLE]
        pinned = {} if facts is None else {data.name: data.digest for data in facts.datasets}
        sizes = []
        for one in names:
            data = sample(task.evaluation(one), study.evaluate.max_examples, study.evaluate.sample)
            sizes.append(f"{one} {len(data):,}")
            if one in pinned and pinned[one] != data.digest:
                yield fail(
                    check,
                    f"{one} holds other examples than recorded",
                    "Put the data back as they were, or give the study another name.",
                )
                return
    except LmcTrackError as error:
        yield fail(check, error.message, error.remedy)
        return
    same = ", as recorded" if pinned else ""
    yield ok(check, f"{', '.join(sizes)} examples{same}")


def _models(census: Census, experiment: str) -> list[CountedRun]:
    return [
        run
        for run in census.runs
        if run.experiment_id == experiment
        and run.kind == "model"
        and run.finished
        and not run.deleted
    ]


def _check_order(
    store: Store, facts: StudyFacts, models: Sequence[CountedRun]
) -> Iterator[Finding]:
    """Whether the labels in the configurations of a study's models stand in the study's order."""
    labels = facts.label_names
    check = f"label order of {facts.name}"
    fitting, silent, wrong = 0, 0, []
    names = {model.key: model.name for model in facts.models}
    for run in models:
        given = _config_labels(store, run)
        if given is None or not names_labels(given):
            silent += 1
            continue
        order = order_by_names(given, labels)
        if order == tuple(range(len(labels))):
            fitting += 1
        else:
            told = "other labels" if order is None else "another order"
            wrong.append(f"{names.get(run.key, run.run_id)} has {told}: {', '.join(given)}")
    if wrong:
        more = f" and {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        yield fail(
            check,
            f"the study's is {', '.join(labels)}; {'; '.join(wrong[:_MOST_TOLD])}{more}",
            "Delete the run in MLflow and register or finetune the model again.",
        )
    elif fitting or silent:
        quiet = f"; {silent:,} models have none in their configuration" if silent else ""
        whole = ", ".join(in_order(labels, range(len(labels))))
        yield ok(check, f"{fitting:,} models have {whole}{quiet}")


def _config_labels(store: Store, run: CountedRun) -> list[str] | None:
    """The labels of a model's outputs, in their order; None where they cannot be read here."""
    folder = store.folder_of(run.artifact_uri)
    if folder is None:
        return None
    for config in (
        folder / "model" / "config.json",
        Path(run.params.get("origin", "")) / "config.json",
    ):
        try:
            named = read_object(config)["id2label"]
            return [str(named[str(number)]) for number in range(len(named))]
        except (InputError, KeyError, TypeError, AttributeError):
            continue
    return None
