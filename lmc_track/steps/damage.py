"""Artifacts that are not what was written: what they are of, and how each comes back.

Reading only finds and names them. Whoever holds the lock of the study sets them aside
(``steps.set_aside``), after which the steps make again what they find missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import WorkError
from lmc_track.tracking.artifact_reading import DamagedArtifactError
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.tags import EVAL_TAG, FILE_TAG, PRECISION_TAG, SOURCE_TAG

# Damaged artifacts that are named one by one.
_MOST_TOLD = 20
_RESTORE = "Restore the file from a backup"
# Methods of clusterings that are taken over, not computed.
_KNOWN = ("published",)


@dataclass(frozen=True)
class Damage:
    """The artifact ``name`` of ``run``; ``file`` is where it lies, ``why`` what is wrong.

    ``hidden``: its size is right, so that only who reads it whole finds out.
    """

    study: str
    run: RunEntry
    name: str
    file: str
    why: str
    hidden: bool = False

    @classmethod
    def of(cls, study: str, run: RunEntry, error: DamagedArtifactError) -> Damage:
        return cls.at(study, run, Path(error.file), error.why)

    @classmethod
    def at(cls, study: str, run: RunEntry, file: Path, why: str) -> Damage:
        """The damage of ``file``, which lies among the artifacts of ``run`` or in the cache."""
        parts = file.parts
        if run.run_id in parts:
            inside = parts[parts.index(run.run_id) + 1 :]
            local = local_folder(run.artifact_uri) is not None
            parts = inside[1:] if local and inside[:1] == ("artifacts",) else inside
        else:
            parts = (file.name,)
        return cls(study, run, "/".join(parts), str(file), why)

    @property
    def slots(self) -> list[str]:
        """The evaluations (see ``tracking.tags.slot``) that the file holds."""
        return slots_in(self.run, self.name)

    @property
    def imported(self) -> bool:
        """Whether the file came from elsewhere, so that nothing here can make it again."""
        run = self.run
        known = run.kind == "clusters" and run.params.get("method") in _KNOWN
        return SOURCE_TAG in run.tags or run.params.get("source") == "imported" or known

    @property
    def made_again(self) -> bool:
        """Whether ``run`` makes the file again."""
        if self.imported:
            return False
        if self.run.kind == "model":
            return bool(self.slots)
        if self.run.kind == "study":
            return self.run.tags.get(PRECISION_TAG) == self.name
        return self.run.kind in ("point", "dataset", "clusters", "path", "plane")

    def __str__(self) -> str:
        kinds = {"model": "model ", "point": "point ", "clusters": "", "study": ""}
        what = f"{kinds.get(self.run.kind, '')}{self.run.name}"
        on = f" on {', '.join(self.slots)}" if self.slots else ""
        return (
            f"{what}{on}: {self.name} of run {self.run.run_id} is damaged: {self.why} ({self.file})"
        )


def slots_in(run: RunEntry, name: str) -> list[str]:
    """The evaluations that count of ``run`` and are in its artifact ``name``."""
    return [
        slot
        for tag, file in run.tags.items()
        if tag.startswith(FILE_TAG)
        and file == name
        and EVAL_TAG + (slot := tag.removeprefix(FILE_TAG)) in run.tags
    ]


def remedies(damage: Iterable[Damage]) -> list[str]:
    """What to do about each kind of damage, one line each."""
    return list(dict.fromkeys(line for one in damage for line in _remedies(one)))


def _remedies(one: Damage) -> Iterator[str]:
    study, kind = one.study, one.run.kind
    if one.imported:
        yield f"{_RESTORE}, or delete run {one.run.run_id} in MLflow and import the results again."
    elif kind == "clusters":
        yield f"Clusters are found again by: lmc-track cluster {study}"
    elif kind == "plane":
        yield (
            f"{_RESTORE}, or run lmc-track run {study}, which sets it aside, and then the command "
            "lmc-track plane as before."
        )
    elif kind == "report":
        yield f"The report is written again by: lmc-track report {study}"
    elif kind == "study" and one.run.tags.get(PRECISION_TAG) == one.name:
        yield f"Precisions are compared again by: lmc-track interpolate {study} --check-precision"
    elif kind == "study" and one.run.key:
        yield f"Run: lmc-track run {study} (it writes the study's file again from its copy)."
    elif one.made_again:
        first = "lmc-track ingest --rebuild, which reads every file, then " if one.hidden else ""
        yield (
            f"Run: {first}lmc-track run {study} (the damaged file is kept beside its place, and "
            "what it held is made again)."
        )
    elif kind == "model":
        yield (
            f"{_RESTORE}, or delete run {one.run.run_id} in MLflow and run the study again: the "
            "model is finetuned or registered anew."
        )
    else:
        yield f"{_RESTORE}."


def listed(damage: Sequence[Damage]) -> str:
    """One line for each, those of the first ``_MOST_TOLD``."""
    lines = [f"  {one.study}: {one}" for one in damage[:_MOST_TOLD]]
    if len(damage) > _MOST_TOLD:
        lines.append(f"  … and {len(damage) - _MOST_TOLD} more")
    return "\n".join(lines)


def left_out(damage: Sequence[Damage], results: object) -> WorkError:
    """The error of an ingest that took in everything but ``damage``."""
    things = "1 artifact is" if len(damage) == 1 else f"{len(damage)} artifacts are"
    return WorkError(
        f"{things} damaged and left out of the results:\n{listed(damage)}",
        "\n".join([*remedies(damage), f"Everything else is in {results}."]),
    )
