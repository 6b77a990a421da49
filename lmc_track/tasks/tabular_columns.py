"""What the cells of a user's file mean: which label a value stands for, which subsets it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lmc_track.errors import InputError
from lmc_track.names import is_name, safe_name
from lmc_track.spelling import nearest
from lmc_track.study.tabular_section import DiagnosticSection, SourceSection, TabularTask
from lmc_track.tasks.projection import Projection
from lmc_track.tasks.tables import Cells, Table

# More would be a column of identities, not of kinds; each is evaluated by itself.
_MOST_SUBSETS = 500


@dataclass(frozen=True)
class LabelColumn:
    """The column ``name`` of labels: the index that each value stands for, those left out, and the
    projection where the set has labels of its own."""

    name: str
    known: Mapping[str, int]
    skipped: frozenset[str]
    projection: Projection | None
    label_names: tuple[str, ...]
    key: str

    def indices(self, table: Table) -> list[int]:
        """The label of every row.

        Raises:
            InputError: a value stands for none.
        """
        found = []
        for row, value in enumerate(table.filled(self.name)):
            if value not in self.known:
                near = nearest(value, self.known)
                # Whoever misspelt it, the file or the study.
                meant = "" if near is None else f"If it is {near!r}, correct one of the two. "
                raise InputError(
                    f"{table.where(row)}: the label is {value!r}; known are "
                    f"{', '.join(self.known)}",
                    f"{meant}Say what it stands for (label_values = {{ {value!r} = … }} in "
                    f"[{self.key}]), or leave such rows out (skip_labels = [{value!r}]).",
                )
            found.append(self.known[value])
        return found


def label_column(task: TabularTask, source: SourceSection, key: str) -> LabelColumn:
    """How the labels of the set ``key`` are told.

    A set with labels of its own may be labelled by them or by those of the task.
    """
    index = {label: k for k, label in enumerate(task.labels)}
    values = source.label_values or task.label_values
    own = source.labels if isinstance(source, DiagnosticSection) else None
    projection = None
    if own is not None:
        assert isinstance(source, DiagnosticSection)
        groups = {label: tuple(sorted(index[one] for one in names)) for label, names in own.items()}
        # In the order of the logits: a recorded study file does not keep that of a table's keys.
        order = sorted(groups, key=lambda label: groups[label])
        projection = Projection(
            source.projection or "max", tuple(order), tuple(groups[label] for label in order)
        )
        place = {label: k for k, label in enumerate(order)}
        of_task = {one: place[label] for label, names in own.items() for one in names}
        # A name of its own comes before the same name of the task's.
        index = of_task | place
    known = index | {value: index[label] for value, label in values.items() if label in index}
    return LabelColumn(
        source.label if source.label is not None else task.label or "",
        known,
        frozenset(source.skip_labels or task.skip_labels),
        projection,
        tuple(task.labels) if projection is None else projection.label_names,
        key,
    )


def subset_names(
    table: Table, columns: Sequence[str | list[str]], labels: LabelColumn
) -> list[list[str]]:
    """The subsets of every row: the values of each of ``columns``, or of several joined by ``-``.

    A cell without a value names none. The column of labels names the label itself, whatever value
    stands for it.

    Raises:
        InputError: a value cannot be a subset's name, two values would have the same one, or
            there are too many.
    """
    found: list[list[str]] = [[] for _ in range(len(table))]
    names: Cells = [labels.label_names[k] for k in labels.indices(table)]
    originals: dict[str, tuple[int, tuple[str, ...]]] = {}
    for number, item in enumerate(columns):
        parts = [item] if isinstance(item, str) else item
        for row, cells in enumerate(
            zip(*(names if one == labels.name else table.column(one) for one in parts), strict=True)
        ):
            values = tuple(cell for cell in cells if cell)
            if len(values) < len(parts):
                continue
            name = safe_name("-".join(values))
            if not is_name(name) or name == "all":
                raise InputError(
                    f"{table.where(row)}: {name[:40]!r} cannot be the name of a subset",
                    "Names have at most 100 characters, and 'all' is the whole set.",
                )
            if originals.setdefault(name, (number, values)) != (number, values):
                raise InputError(
                    f"{table.where(row)}: {' '.join(values)!r} and "
                    f"{' '.join(originals[name][1])!r} would both be the subset {name!r}",
                    "Rename one of them, or take another column.",
                )
            found[row].append(name)
        if len(originals) > _MOST_SUBSETS:
            raise InputError(
                f"{table.source}: {' and '.join(parts)} would name more than {_MOST_SUBSETS} "
                "subsets",
                "Take a column of fewer kinds.",
            )
    return found
