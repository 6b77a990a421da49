"""MNLI, the multi-genre natural language inference corpus (Williams et al. 2018, arXiv 1704.05426),
with HANS.

Data are the corpus's own files (JSON lines or text), GLUE's TSV files or the hub. Pairs whose
annotators did not agree (gold label "-") are left out, as in GLUE. Pairs of one premise belong
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.names import safe_name
from lmc_track.study.task_sections import MNLI_LABELS, MnliTask
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.hans import SLICE, hans_dataset, read_hans
from lmc_track.tasks.published import DataRoot, data_root
from lmc_track.tasks.reading import HubSource, ReadTask
from lmc_track.tasks.sampling import TRAIN_SAMPLE
from lmc_track.tasks.tables import Table, read_table

_FOLDERS = ("", "mnli", "MNLI", "multinli_1.0", "mnli/multinli_1.0", "MNLI/original")
_FILES = {
    "train": ("multinli_1.0_train.jsonl", "multinli_1.0_train.txt", "train.tsv"),
    "validation": (
        "multinli_1.0_dev_matched.jsonl",
        "multinli_1.0_dev_matched.txt",
        "dev_matched.tsv",
        # The file of github.com/tommccoy1/hans, which has the same pairs in the same order.
        "dev_matched_with_feather_correct_counts.tsv",
    ),
    "mismatched": (
        "multinli_1.0_dev_mismatched.jsonl",
        "multinli_1.0_dev_mismatched.txt",
        "dev_mismatched.tsv",
    ),
}
_WHAT = {
    "train": "training file of MNLI",
    "validation": "matched development file of MNLI",
    "mismatched": "mismatched development file of MNLI",
}
_SPLITS = {
    "train": "train",
    "validation": "validation_matched",
    "mismatched": "validation_mismatched",
}
_ROLES: dict[str, Role] = {
    "train": "train",
    "validation": "validation",
    "mismatched": "diagnostic",
}
_NO_GOLD_LABEL = ("-", "-1")
_REMEDY = (
    "Give a folder that holds MNLI's own files or GLUE's: --set task.data_dir=FOLDER, or set "
    "LMC_DATA_DIR; evaluate.datasets can leave sets out"
)


class Mnli(ReadTask):
    """Entailment, neutral or contradiction, in the order of logits that the study says."""

    name = "mnli"
    text_columns = ("premise", "hypothesis")
    metric = "accuracy"
    evaluation_sets = ("validation", TRAIN_SAMPLE, "mismatched", "hans", "hans_logsumexp")
    primary_diagnostic = f"hans:{SLICE}:accuracy"

    def __init__(self, section: MnliTask, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._section = section
        self._environ = environ
        self.label_names = tuple(section.labels)
        self._hans: tuple[Table, str] | None = None

    def _read(self, name: str) -> Dataset:
        root = data_root(self._section.data_dir, self._environ, _REMEDY)
        if name.startswith("hans"):
            return self._read_hans(name, root)
        if root is None:
            table, source = self._read_hub(name)
        else:
            file = root.need(_FOLDERS, _FILES[name], _WHAT[name], _REMEDY)
            table, source = _read_file(file), f"MNLI, {file.name}"
        whole = table
        table = _with_gold_label(whole)
        premises = table.filled("premise")
        genres = table.columns.get("genre")
        return build_dataset(
            name,
            _ROLES[name],
            texts={"premise": premises, "hypothesis": table.filled("hypothesis")},
            labels=self._labels(table),
            source=source,
            groups=list(premises),
            # The training set is the same one wherever it was read, so it has no subsets.
            subsets=None
            if genres is None or name == "train"
            else [[] if genre is None else [safe_name(genre)] for genre in genres],
            left_out={"no gold label": len(whole) - len(table)},
        )

    def _read_hans(self, name: str, root: DataRoot | None) -> Dataset:
        section = self._section
        if self._hans is None:
            hub = HubSource(section.hans_hub, None, section.hans_revision, "task.hans_hub")
            self._hans = read_hans(root, hub, self._environ)
        return hans_dataset(
            name,
            *self._hans,
            self.label_names,
            "logsumexp" if name == "hans_logsumexp" else "max",
            published_slice=section.hans == "juneja2023",
        )

    def _read_hub(self, name: str) -> tuple[Table, str]:
        section = self._section
        is_glue = Path(section.hub).name == "glue"
        hub = HubSource(section.hub, "mnli" if is_glue else None, section.revision, "task.hub")
        wanted = ("premise", "hypothesis", "label", *(() if is_glue else ("genre",)))
        table = hub.read(_SPLITS[name], wanted, self._environ, _REMEDY)
        return table, hub.told(_SPLITS[name])

    def _labels(self, table: Table) -> list[int]:
        # Both hub data sets number the labels in this order.
        known = (
            {str(k): label for k, label in enumerate(MNLI_LABELS)}
            if table.unit == "row"
            else {label: label for label in MNLI_LABELS}
        )
        labels: list[int] = []
        for row, value in enumerate(table.filled("label")):
            if value not in known:
                raise InputError(
                    f"{table.where(row)}: the label is {value!r}, expected is one of "
                    f"{', '.join(known)}",
                    "Take the file as it was published.",
                )
            labels.append(self.label_names.index(known[value]))
        return labels


def _read_file(file: Path) -> Table:
    """Columns premise, hypothesis, label and, where the file has it, genre."""
    counted = file.name == _FILES["validation"][-1]
    names = ("premise", "hypothesis") if counted else ("sentence1", "sentence2")
    extra = () if counted else ("genre",)
    table = read_table(file, (*names, "gold_label", *extra))
    columns = dict(
        zip(
            ("premise", "hypothesis", "label", *extra),
            (table.column(name) for name in (*names, "gold_label", *extra)),
            strict=True,
        )
    )
    return Table(table.source, table.unit, columns, table.numbers)


def _with_gold_label(table: Table) -> Table:
    labels = table.column("label")
    kept = [row for row, label in enumerate(labels) if label not in _NO_GOLD_LABEL]
    return table if len(kept) == len(table) else table.take(kept)
