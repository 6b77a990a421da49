"""CoLA, the Corpus of Linguistic Acceptability (Warstadt et al. 2019, arXiv 1805.12471).

Data are the official raw files, or the hub's GLUE copy. GLUE's validation set is the
in-domain development set followed by the out-of-domain one; here they are ``validation`` and
the diagnostic ``out_of_domain``, unless the study asks for both joined as ``validation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lmc_track.errors import InputError
from lmc_track.names import safe_name
from lmc_track.study.task_sections import ColaTask
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.hub import load_splits
from lmc_track.tasks.published import data_root
from lmc_track.tasks.reading import ReadTask
from lmc_track.tasks.sampling import TRAIN_SAMPLE
from lmc_track.tasks.tsv import read_rows

_FILES = {
    "train": "in_domain_train.tsv",
    "validation": "in_domain_dev.tsv",
    "out_of_domain": "out_of_domain_dev.tsv",
}
_ROLES: dict[str, Role] = {
    "train": "train",
    "validation": "validation",
    "out_of_domain": "diagnostic",
}
# Where the files lie: in the folder itself, or in the release's own folders below it, or in a
# folder of data sets.
_PLACES = tuple(
    str(Path(root, inner)) for root in ("", "cola") for inner in ("", "raw", "cola_public/raw")
)
_COLUMNS = ("source", "label", "author's mark", "sentence")
_LABELS = ("0", "1")
_IN_DOMAIN, _OUT_OF_DOMAIN = 527, 516
_GIVE_A_FOLDER = (
    f"Give a folder that holds {', '.join(_FILES.values())}: --set task.data_dir=FOLDER, "
    "or set LMC_DATA_DIR"
)


@dataclass(frozen=True)
class _Rows:
    """Rows as read; ``codes`` are the publications they come from, None where not told."""

    labels: list[int]
    sentences: list[str]
    codes: list[str] | None
    source: str


class Cola(ReadTask):
    """Acceptable or not."""

    name = "cola"
    label_names = ("unacceptable", "acceptable")
    text_columns = ("sentence",)
    metric = "matthews_correlation"
    evaluation_sets = ("validation", TRAIN_SAMPLE, "out_of_domain")
    primary_diagnostic = "out_of_domain:all:matthews_correlation"

    def __init__(self, section: ColaTask, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._section = section
        self._environ = environ
        self._from_hub: dict[str, pl.DataFrame] | None = None

    def _read(self, name: str) -> Dataset:
        folder = self._folder()
        joined = name == "validation" and self._section.validation == "joined"
        parts = [
            _read_file(folder / _FILES[part]) if folder is not None else self._read_hub(part)
            for part in (("validation", "out_of_domain") if joined else (name,))
        ]
        codes = [code for part in parts for code in part.codes or ()]
        # The training set is the same one wherever it was read, so it has no subsets.
        with_subsets = codes and name != "train"
        return build_dataset(
            name,
            _ROLES[name],
            texts={"sentence": [text for part in parts for text in part.sentences]},
            labels=[label for part in parts for label in part.labels],
            source="; ".join(dict.fromkeys(part.source for part in parts)),
            subsets=[[safe_name(code)] for code in codes] if with_subsets else None,
        )

    def _folder(self) -> Path | None:
        """The folder of the raw files; None where none is given, and the hub is to be asked."""
        root = data_root(self._section.data_dir, self._environ, _GIVE_A_FOLDER)
        if root is None:
            return None
        for place in _PLACES:
            folder = root.folder / place
            present = [file for file in _FILES.values() if (folder / file).is_file()]
            if present:
                if missing := [file for file in _FILES.values() if file not in present]:
                    raise InputError(
                        f"{root.key}: {folder} holds no {' and no '.join(missing)}", _GIVE_A_FOLDER
                    )
                return folder
        raise InputError(
            f"{root.key}: {root.folder} holds no CoLA files (looked for in it, cola/, raw/ and "
            "cola_public/raw/)",
            _GIVE_A_FOLDER,
        )

    def _read_hub(self, name: str) -> _Rows:
        hub, revision = self._section.hub, self._section.revision
        if self._from_hub is None:
            self._from_hub = load_splits(hub, "cola", revision, self._environ, _GIVE_A_FOLDER)
        split = "train" if name == "train" else "validation"
        if split not in self._from_hub:
            raise InputError(f"task.hub: {hub} has no split {split!r}", _GIVE_A_FOLDER)
        frame = self._from_hub[split]
        if missing := [c for c in ("sentence", "label") if c not in frame.columns]:
            raise InputError(
                f"task.hub: split {split!r} of {hub} has no column {missing[0]!r}", _GIVE_A_FOLDER
            )
        labels = frame["label"].to_list()
        for row, label in enumerate(labels):
            if label not in (0, 1):
                raise InputError(
                    f"task.hub: {hub}, split {split!r}, row {row}: the label is {label!r}, "
                    "expected is 0 or 1",
                    _GIVE_A_FOLDER,
                )
        part = slice(None)
        if split == "validation":
            if len(frame) != _IN_DOMAIN + _OUT_OF_DOMAIN:
                raise InputError(
                    f"task.hub: split 'validation' of {hub} has {len(frame):,} rows; expected are "
                    f"{_IN_DOMAIN} in-domain ones, then {_OUT_OF_DOMAIN} out-of-domain ones",
                    _GIVE_A_FOLDER,
                )
            part = slice(_IN_DOMAIN) if name == "validation" else slice(_IN_DOMAIN, None)
        source = f"{hub}, cola, {split}" + (f", revision {revision}" if revision else "")
        return _Rows(labels[part], frame["sentence"].to_list()[part], None, source)


def _read_file(file: Path) -> _Rows:
    rows = read_rows(file, _COLUMNS)
    for line, (_, label, _, _) in enumerate(rows, 1):
        if label not in _LABELS:
            raise InputError(
                f"{file}, line {line}: the label is {label!r}, expected is 0 (unacceptable) or "
                "1 (acceptable)",
                f"The columns are {', '.join(_COLUMNS)}.",
            )
    return _Rows(
        [int(row[1]) for row in rows],
        [row[3] for row in rows],
        [row[0] for row in rows],
        f"CoLA raw files, {file.name}",
    )
