"""HANS (McCoy, Pavlick, Linzen 2019, arXiv 1902.01007): does an NLI model go by heuristics?

Each of three heuristics says that a premise entails a hypothesis made of its words; in ten subcases
of each it is right in five and wrong in five. The files are the official ones, text or JSON lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from lmc_track.errors import InputError
from lmc_track.names import safe_name
from lmc_track.spelling import suggestion
from lmc_track.tasks.dataset import Dataset, build_dataset
from lmc_track.tasks.projection import Projection
from lmc_track.tasks.published import DataRoot
from lmc_track.tasks.reading import HubSource
from lmc_track.tasks.sampling import drawn, shuffled
from lmc_track.tasks.tables import Table, read_table

LABELS = ("entailment", "non-entailment")
# Of each heuristic first the subcases in which it is right, then those in which it is wrong.
SUBCASES = {
    "lexical_overlap": (
        ("le_relative_clause", "le_around_prepositional_phrase", "le_around_relative_clause",
         "le_conjunction", "le_passive"),
        ("ln_subject/object_swap", "ln_preposition", "ln_relative_clause", "ln_passive",
         "ln_conjunction"),
    ),
    "subsequence": (
        ("se_conjunction", "se_adjective", "se_understood_object", "se_relative_clause_on_obj",
         "se_PP_on_obj"),
        ("sn_NP/S", "sn_PP_on_subject", "sn_relative_clause_on_subject", "sn_past_participle",
         "sn_NP/Z"),
    ),
    "constituent": (
        ("ce_embedded_under_since", "ce_after_since_clause", "ce_embedded_under_verb",
         "ce_conjunction", "ce_adverb"),
        ("cn_embedded_under_if", "cn_after_if_clause", "cn_embedded_under_verb", "cn_disjunction",
         "cn_adverb"),
    ),
}  # fmt: skip
_PLACES: dict[str, tuple[str, int]] = {
    subcase: (heuristic, label)
    for heuristic, by_label in SUBCASES.items()
    for label, subcases in enumerate(by_label)
    for subcase in subcases
}
SLICE = "lexical_overlap-non-entailment"
"""The subset that Juneja et al. (2023) compare models on."""

_FILES = ("heuristics_evaluation_set.txt", "heuristics_evaluation_set.jsonl")
_FOLDERS = ("", "hans", "HANS")
_SHUFFLE_SEED = 42
_REMEDY = (
    "Give a folder that holds heuristics_evaluation_set.txt of github.com/tommccoy1/hans: "
    "--set task.data_dir=FOLDER, or set LMC_DATA_DIR; or leave HANS out of evaluate.datasets"
)


def read_hans(
    root: DataRoot | None, hub: HubSource, environ: Mapping[str, str]
) -> tuple[Table, str]:
    """HANS as it was published, and where it came from."""
    rest = ("heuristic", "subcase")
    if root is None:
        table = hub.read("validation", ("premise", "hypothesis", "label", *rest), environ, _REMEDY)
        names = dict(zip(("0", "1"), LABELS, strict=True))
        labels = [names.get(value or "", value) for value in table.column("label")]
        columns = {
            "sentence1": table.column("premise"),
            "sentence2": table.column("hypothesis"),
            "gold_label": labels,
            **{name: table.column(name) for name in rest},
        }
        return Table(table.source, table.unit, columns, table.numbers), hub.told("validation")
    file = root.need(_FOLDERS, _FILES, "HANS", _REMEDY)
    table = read_table(file, ("gold_label", "sentence1", "sentence2", *rest))
    return table, f"HANS, {file.name}"


def hans_dataset(
    name: str,
    table: Table,
    source: str,
    model_labels: Sequence[str],
    how: Literal["max", "logsumexp"],
    *,
    published_slice: bool = False,
) -> Dataset:
    """HANS for models of ``model_labels``, in logit order; subsets are heuristics and subcases.

    With ``published_slice``: the non-entailed lexical overlaps, shuffled, of which
    Juneja et al. (2023) take the first 512.

    Raises:
        InputError: an unknown heuristic, subcase or label, or ones that do not belong together.
    """
    labels, subsets = _kinds(table)
    dataset = build_dataset(
        name,
        "diagnostic",
        texts={"premise": table.filled("sentence1"), "hypothesis": table.filled("sentence2")},
        labels=labels,
        source=source,
        subsets=subsets,
        projection=hans_projection(model_labels, how),
    )
    if not published_slice:
        return dataset
    rows = [row for row, names in enumerate(subsets) if SLICE in names]
    return shuffled(drawn(dataset, rows, SLICE), _SHUFFLE_SEED)


def hans_projection(model_labels: Sequence[str], how: Literal["max", "logsumexp"]) -> Projection:
    """Neutral and contradiction are both non-entailment, wherever their logits stand."""
    entailed = model_labels.index(LABELS[0])
    others = tuple(k for k in range(len(model_labels)) if k != entailed)
    return Projection(how, LABELS, ((entailed,), others))


def _kinds(table: Table) -> tuple[list[int], list[list[str]]]:
    """The label and the subsets of every row."""
    labels: list[int] = []
    subsets: list[list[str]] = []
    rows = zip(
        table.filled("gold_label"), table.filled("heuristic"), table.filled("subcase"), strict=True
    )
    for row, (label, heuristic, subcase) in enumerate(rows):
        if label not in LABELS:
            raise _unknown(table.where(row), "label", label, LABELS)
        if heuristic not in SUBCASES:
            raise _unknown(table.where(row), "heuristic", heuristic, SUBCASES)
        if subcase not in _PLACES:
            raise _unknown(table.where(row), "subcase", subcase, _PLACES)
        if _PLACES[subcase] != (heuristic, LABELS.index(label)):
            of, index = _PLACES[subcase]
            raise InputError(
                f"{table.where(row)}: the subcase {subcase!r} is of {of}, {LABELS[index]}; the row "
                f"says {heuristic}, {label}",
                "Take the file as it was published.",
            )
        labels.append(LABELS.index(label))
        subsets.append([heuristic, f"{heuristic}-{label}", safe_name(subcase)])
    return labels, subsets


def _unknown(
    where: str, what: str, given: str, known: Mapping[str, object] | Sequence[str]
) -> InputError:
    return InputError(
        f"{where}: HANS has no {what} {given!r}", suggestion(given, known, listing="It has")
    )
