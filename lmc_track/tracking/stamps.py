"""Size and SHA-256 of the artifacts of a run, kept in its tags, and comparing files with them.

A tag ``lmc.sha256.NAME`` is ``<64 hexadecimal digits> <bytes>``. Records of older versions have
none: of their files nothing can be said but whether they can be read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.tags import FILE_TAG, PRECISION_TAG, STAMP_TAG

# What MLflow allows in the name of a tag.
_ALLOWED = re.compile(r"[\w.\- :/]{1,230}")
_OWN_FILES = {
    "study": ("study.json",),
    "dataset": ("examples.parquet",),
    "path": ("curve.json",),
    "plane": ("plane.json",),
    "clusters": ("clusters.json",),
    "report": ("report.html",),
}
_MODEL = ("model/config.json", "model_reference.json")


@dataclass(frozen=True)
class Stamp:
    """What a file was when it was written; ``size`` in bytes."""

    sha256: str
    size: int

    def __str__(self) -> str:
        return f"{self.sha256} {self.size}"

    @classmethod
    def read(cls, text: str) -> Stamp | None:
        """The stamp that a tag holds, or None where it holds something else."""
        found = re.fullmatch(r"([0-9a-f]{64}) (\d{1,18})", text)
        return None if found is None else cls(found[1], int(found[2]))

    @classmethod
    def of(cls, file: Path) -> Stamp:
        """Read the whole of ``file``."""
        with file.open("rb") as stream:
            return cls(hashlib.file_digest(stream, "sha256").hexdigest(), file.stat().st_size)

    @classmethod
    def of_bytes(cls, content: bytes) -> Stamp:
        return cls(hashlib.sha256(content).hexdigest(), len(content))

    def difference(self, file: Path, *, whole: bool = True) -> str | None:
        """In what ``file`` is not what was written, or None; only its size unless ``whole``."""
        try:
            size = file.stat().st_size
            if size != self.size:
                return f"it has {size:,} bytes; {self.size:,} were written"
            if whole and Stamp.of(file) != self:
                return "its content is not what was written (SHA-256)"
        except OSError as error:
            return error.strerror or str(error)
        return None


def stamps_of(place: Path, name: str) -> dict[str, Stamp]:
    """The stamps of the artifact ``name`` that lies at ``place``, a file or a whole folder."""
    if not place.is_dir():
        return {name: Stamp.of(place)}
    return {
        f"{name}/{file.relative_to(place).as_posix()}": Stamp.of(file)
        for file in sorted(place.rglob("*"))
        if file.is_file()
    }


def stamp_tags(stamps: dict[str, Stamp]) -> dict[str, str]:
    """The tags that keep ``stamps``; a name that MLflow does not allow in a tag has none."""
    return {
        STAMP_TAG + name: str(stamp) for name, stamp in stamps.items() if _ALLOWED.fullmatch(name)
    }


def stamped(run: RunEntry) -> dict[str, Stamp]:
    """The stamps that ``run`` carries, by artifact name."""
    found = {
        tag.removeprefix(STAMP_TAG): Stamp.read(text)
        for tag, text in run.tags.items()
        if tag.startswith(STAMP_TAG)
    }
    return {name: stamp for name, stamp in found.items() if stamp is not None}


def artifacts_of(run: RunEntry) -> Iterator[tuple[str, Stamp | None]]:
    """Every artifact that ``run`` has by its tags and kind, with its stamp where it has one."""
    stamps = stamped(run)
    names = dict.fromkeys(stamps)
    names |= dict.fromkeys(text for tag, text in run.tags.items() if tag.startswith(FILE_TAG))
    if run.kind == "dataset" and "n_examples" not in run.params:
        pass  # only values are known of it
    elif run.kind == "model":
        if not any(name.startswith(("model/", "model_reference")) for name in names):
            where = run.params.get("weights_artifact", "model")
            # Imported models have no weights, nor has one whose training diverged.
            if run.params.get("source") != "imported" and "weights_digest" in run.params:
                names[_MODEL[where != "model"]] = None
    else:
        names |= dict.fromkeys(_OWN_FILES.get(run.kind, ()))
    if PRECISION_TAG in run.tags:
        names[run.tags[PRECISION_TAG]] = None
    for name in names:
        yield name, stamps.get(name)
