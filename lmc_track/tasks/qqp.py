"""QQP, Quora's question pairs, with PAWS-QQP (Zhang et al. 2019, arXiv 1904.01130).

Data are GLUE's TSV files or the hub's GLUE copy. PAWS-QQP may not be published; its files are made
with the program of github.com/google-research-datasets/paws, or named by ``paws_hub``.
"""

from __future__ import annotations

from collections.abc import Mapping

from lmc_track.errors import InputError
from lmc_track.study.task_sections import QqpTask
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.published import DataRoot, data_root
from lmc_track.tasks.reading import HubSource, ReadTask
from lmc_track.tasks.sampling import TRAIN_SAMPLE
from lmc_track.tasks.tables import Table, read_table

LABELS = ("not_duplicate", "duplicate")
_FOLDERS = ("", "qqp", "QQP")
_PAWS_FOLDERS = ("paws_qqp", "paws_final", "paws_qqp/output", "paws_final/paws_qqp")
_FILES = {"train": ("train.tsv",), "validation": ("dev.tsv",)}
_PAWS_FILES = ("dev_and_test.tsv",)
_WHAT = {"train": "training file of QQP", "validation": "development file of QQP"}
_ROLES: dict[str, Role] = {"train": "train", "validation": "validation"}
_COLUMNS = ("question1", "question2", "is_duplicate")
# GLUE's training file has three questions with a line end in them; they are cut in two, and
# left out, as the hub's copy leaves them out.
_BROKEN_LINES = 6
_REMEDY = (
    "Give a folder that holds GLUE's QQP files in qqp/ or QQP/: --set task.data_dir=FOLDER, or set "
    "LMC_DATA_DIR; evaluate.datasets can leave sets out"
)
_PAWS_REMEDY = (
    "Give a folder that holds paws_qqp/dev_and_test.tsv (--set task.data_dir=FOLDER or "
    "LMC_DATA_DIR), name a hub data set by task.paws_hub, or leave paws_qqp out of "
    "evaluate.datasets"
)


class Qqp(ReadTask):
    """Duplicate questions or not."""

    name = "qqp"
    label_names = LABELS
    text_columns = ("question1", "question2")
    metric = "f1"
    evaluation_sets = ("validation", TRAIN_SAMPLE, "paws_qqp")
    primary_diagnostic = "paws_qqp:all:accuracy"

    def __init__(self, section: QqpTask, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._section = section
        self._environ = environ

    def _read(self, name: str) -> Dataset:
        section = self._section
        root = data_root(section.data_dir, self._environ, _REMEDY)
        if name == "paws_qqp":
            return self._read_paws(root)
        if root is None:
            hub = HubSource(section.hub, "qqp", section.revision, "task.hub")
            table = hub.read(name, ("question1", "question2", "label"), self._environ, _REMEDY)
            return _dataset(name, _ROLES[name], table, hub.told(name), tuple(table.columns))
        file = root.need(_FOLDERS, _FILES[name], _WHAT[name], _REMEDY)
        table = read_table(file, _COLUMNS, most_broken=_BROKEN_LINES)
        return _dataset(name, _ROLES[name], table, f"QQP, {file.name}", _COLUMNS)

    def _read_paws(self, root: DataRoot | None) -> Dataset:
        section = self._section
        if section.paws_hub is not None:
            hub = HubSource(section.paws_hub, None, section.paws_revision, "task.paws_hub")
            columns = ("sentence1", "sentence2", "label")
            parts = [
                hub.read(split, columns, self._environ, _PAWS_REMEDY)
                for split in ("validation", "test")
            ]
            table = Table(
                parts[0].source,
                "row",
                {c: [cell for part in parts for cell in part.columns[c]] for c in columns},
                [n for part in parts for n in part.numbers],
            )
            return _dataset(
                "paws_qqp", "diagnostic", table, hub.told("validation and test"), columns
            )
        if root is None:
            raise InputError("PAWS-QQP is not on the hub: its licence forbids that", _PAWS_REMEDY)
        file = root.need(_PAWS_FOLDERS, _PAWS_FILES, "PAWS-QQP", _PAWS_REMEDY)
        columns = ("sentence1", "sentence2", "label")
        return _dataset(
            "paws_qqp", "diagnostic", read_table(file, columns), f"PAWS-QQP, {file.name}", columns
        )


def _dataset(name: str, role: Role, table: Table, source: str, columns: tuple[str, ...]) -> Dataset:
    """``columns`` are those of the two questions and of the label, 0 or 1."""
    first, second, label = columns
    values = table.filled(label)
    for row, value in enumerate(values):
        if value not in ("0", "1"):
            raise InputError(
                f"{table.where(row)}: the label is {value!r}, expected is 0 (not a duplicate) or "
                "1 (a duplicate)",
                "Take the file as it was published.",
            )
    labels = [int(value) for value in values]
    return build_dataset(
        name,
        role,
        texts={"question1": table.filled(first), "question2": table.filled(second)},
        labels=labels,
        source=source,
        subsets=[[LABELS[y]] for y in labels] if role == "diagnostic" else None,
        left_out={"lines with other columns": table.n_broken},
    )
