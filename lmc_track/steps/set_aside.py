"""Setting damaged artifacts aside, so that the steps of a study make them again.

Only whoever holds the study's lock may do so. A damaged file is renamed, never removed: NAME
becomes NAME.damaged beside it. Then the tags go by which it counted, so that an interruption
between the two leaves a file that is missing, which is noticed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lmc_track.progress import Progress
from lmc_track.steps.cluster_records import read_clusters
from lmc_track.steps.damage import Damage, listed, slots_in
from lmc_track.steps.recording import write_examples
from lmc_track.tasks.dataset import Dataset
from lmc_track.tracking.artifact_reading import DamagedArtifactError
from lmc_track.tracking.artifacts import set_aside
from lmc_track.tracking.keys import dataset_key
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.stamps import artifacts_of
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import DAMAGED_TAG, EVAL_TAG, FILE_TAG, PRECISION_TAG, STAMP_TAG

_KINDS = ("dataset", "model", "path", "point", "plane", "clusters")


def changed_files(record: StudyRecord) -> list[Damage]:
    """What of the study has another size than was recorded, or is gone.

    Only files within reach are looked at, and not read: that takes some ten microseconds for
    each. Weights are verified whenever they are opened.
    """
    runs = (run for kind in _KINDS for run in record.index.all(kind))
    return [damage for run in runs for damage in _of(record, run)]


def damaged_clusterings(record: StudyRecord) -> list[Damage]:
    """The clusterings of the study whose file is damaged; each is read whole."""
    found = []
    for run in record.index.all("clusters"):
        try:
            read_clusters(record, run)
        except DamagedArtifactError as error:
            found.append(Damage.of(record.facts.name, run, error))
    return found


def _of(record: StudyRecord, run: RunEntry) -> Iterator[Damage]:
    folder = record.recorder.store.folder_of(run.artifact_uri)
    if folder is None:
        return
    for name, stamp in artifacts_of(run):
        # A file without a stamp was written by an older version, which did not make all of them.
        if run.kind == "model" and not slots_in(run, name):
            continue
        file = folder / name
        if stamp is not None:
            why = stamp.difference(file, whole=False)
        else:
            why = None if file.exists() or run.kind == "path" else "it is missing"
        if why is not None:
            yield Damage(record.facts.name, run, name, str(file), why)


def set_damage_aside(
    record: StudyRecord,
    damage: Sequence[Damage],
    datasets: Mapping[str, Dataset],
    progress: Progress,
) -> bool:
    """Set aside what of ``damage`` can be made again; whether there was any.

    ``datasets`` are the study's evaluation sets, by name, of which examples are written again.
    """
    # An ingest reads runs for itself: what is changed here has to be seen by the steps that follow.
    own = {run.run_id: run for run in (*record.index.finished(), record.run)}
    known = [replace(one, run=own[one.run.run_id]) for one in damage if one.run.run_id in own]
    again = [one for one in known if one.made_again]
    strange = [one for one in again if one.run.kind == "dataset" and _data(one, datasets) is None]
    if strange:
        progress.note(
            f"Damaged, and not among what this study file evaluates on:\n{listed(strange)}\n"
            "Add these data sets to evaluate.datasets to have their examples written again."
        )
    again = [one for one in again if one not in strange]
    if again:
        progress.note(f"Set aside, to be made again:\n{listed(again)}")
    for one in again:
        _set_aside(record, one, datasets)
    return bool(again)


def _set_aside(record: StudyRecord, one: Damage, datasets: Mapping[str, Dataset]) -> None:
    run, recorder = one.run, record.recorder
    folder = record.recorder.store.folder_of(run.artifact_uri)
    if folder is None:
        recorder.artifacts.keep_aside(run.run_id, run.artifact_uri, one.name)
    else:
        set_aside(folder / one.name)
    if run.kind == "clusters":  # found again, it is another run
        recorder.delete([run])
        record.index.remove(run)
        return
    recorder.forget_tags(run, list(_counting(run, one)))
    recorder.log(run, tags=recorder.raised_revision(run) | {DAMAGED_TAG + one.name: one.why[:500]})
    if (data := _data(one, datasets)) is not None:
        write_examples(data, record, run)
        recorder.log(run, tags=recorder.raised_revision(run))


def _data(one: Damage, datasets: Mapping[str, Dataset]) -> Dataset | None:
    """The data set whose examples ``one`` held, where it is among ``datasets``."""
    data = datasets.get(one.run.params["dataset"]) if one.run.kind == "dataset" else None
    if data is None or dataset_key(data.name, data.digest) != one.run.key:
        return None
    return data


def _counting(run: RunEntry, one: Damage) -> Iterable[str]:
    """The tags by which the file counts."""
    yield STAMP_TAG + one.name
    if run.kind == "path":  # its curves are drawn again
        yield from [tag for tag in run.tags if tag.startswith(EVAL_TAG)]
    if run.tags.get(PRECISION_TAG) == one.name:
        yield PRECISION_TAG
    for slot in slots_in(run, one.name):
        yield EVAL_TAG + slot
        yield FILE_TAG + slot
