"""Generated sentences in which two agreements tell the same label, and sets that part them.

"the N1 who the N2 V2 I1" (*the writer who the guards see sleeps*): the noun N2 agrees in number
with the verb V2 beside it, the noun N1 with the verb I1 at the sentence's end. In training and
validation both agree or both are violated, so either cue solves the task. The diagnostics
violate one of them; every sentence of a diagnostic is unacceptable.

Training may also have *decisive* sentences, which violate one agreement alone and are labelled by
one cue. With ``disambiguation`` it is the main one for every model (the design of Warstadt et al.
2020, https://aclanthology.org/2020.emnlp-main.16). With ``planted_share`` it differs between models
by their data seeds, so that what divides them is known: two kinds, or ``planted_levels`` degrees.
Validation and diagnostics stay as they are.

The sentences are English, and any encoder can read them with its own tokenizer. They are the same
whatever the base model.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lmc_track.errors import InputError
from lmc_track.study.seeds import ModelSeeds
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.agreement_language import DATA_SEED, SENTENCES_OF_A_KIND, sentence
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.sampling import TRAIN_SAMPLE, train_sample
from lmc_track.tasks.task import Task

_LABEL_NAMES = ("unacceptable", "acceptable")
# The cues that can label a decisive sentence. Two planted kinds take the first for even data
# seeds, the second for odd ones.
CUES = ("main", "embedded")


class Agreement(Task):
    """The task, with as many sentences of each set as the study asks for."""

    name = "agreement"
    label_names = _LABEL_NAMES
    text_columns = ("sentence",)
    metric = "accuracy"
    evaluation_sets = ("validation", TRAIN_SAMPLE, "main_only", "embedded_only")
    primary_diagnostic = "main_only:all:accuracy"

    def __init__(self, section: AgreementTask) -> None:
        """Raises InputError where more sentences are asked for than the language has."""
        both = section.train_examples + section.validation_examples
        for key, wanted, most in (
            ("train_examples and validation_examples", both, 2 * SENTENCES_OF_A_KIND - 2),
            ("diagnostic_examples", section.diagnostic_examples, SENTENCES_OF_A_KIND),
            (
                "diagnostic_examples and half of the decisive ones "
                f"({'planted_share' if section.planted_share else 'disambiguation'})",
                section.diagnostic_examples + (_n_decisive(section) + 1) // 2,
                SENTENCES_OF_A_KIND,
            ),
        ):
            if wanted > most:
                raise InputError(
                    f"task.{key}: {wanted:,} sentences are wanted, the language has {most:,}",
                    "Ask for fewer.",
                )
        n_pairs = _n_decisive(section) // 2
        if section.planted_levels is not None and section.planted_levels > n_pairs + 1:
            raise InputError(
                f"task.planted_levels: {n_pairs:,} pairs of planted sentences give at most "
                f"{n_pairs + 1:,} levels, not {section.planted_levels:,}",
                "Ask for fewer levels or a larger planted_share.",
            )
        for key in ("disambiguation", "planted_share"):
            if getattr(section, key) and _n_decisive(section) == 0:
                raise InputError(
                    f"task.{key}: {getattr(section, key):g} of {section.train_examples:,} "
                    "sentences is less than one",
                    "Ask for a larger share or more train_examples.",
                )
        self._section = section
        self._made: dict[str, Dataset] = {}

    def train(self) -> Dataset:
        return self._get("train")

    def train_for(self, seeds: ModelSeeds) -> Dataset:
        if self._section.planted_share is None:
            return self.train()
        return self._planted(seeds.data % self._levels)

    def training_sets(self) -> tuple[Dataset, ...]:
        if self._section.planted_share is None:
            return (self.train(),)
        return tuple(self._planted(level) for level in range(self._levels))

    def planted_kind(self, seeds: ModelSeeds) -> str | None:
        # Levels are degrees between the two kinds, not kinds of their own.
        if self._section.planted_share is None or self._levels > len(CUES):
            return None
        return CUES[seeds.data % 2]

    @property
    def _levels(self) -> int:
        return self._section.planted_levels or len(CUES)

    def _planted(self, level: int) -> Dataset:
        """The training set of one level: 0 is labelled by the main cue, the last by the other."""
        name = f"train, level {level}"
        if name not in self._made:
            share = 1 - level / (self._levels - 1)
            self._made[name] = _decisive(self.train(), _n_decisive(self._section), share)
        return self._made[name]

    def evaluation(self, name: str) -> Dataset:
        if name not in self.evaluation_sets:
            raise KeyError(name)
        return self._get(name)

    def _get(self, name: str) -> Dataset:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Dataset:
        section = self._section
        if name == "train":
            n = _n_decisive(section)
            shared = _both_cues(name, "train", section.train_examples - n)
            return _decisive(shared, n, 1.0) if section.disambiguation else shared
        if name == "validation":
            return _both_cues(name, "validation", section.validation_examples)
        if name == TRAIN_SAMPLE:
            return train_sample(self.train())
        return _one_cue(name, section.diagnostic_examples)


def _order(kind: int) -> NDArray[np.int64]:
    """All sentences of a kind in the fixed random order they are taken in."""
    return np.random.default_rng((DATA_SEED, 0, kind)).permutation(SENTENCES_OF_A_KIND)


def _both_cues(name: str, role: Role, n: int) -> Dataset:
    """Acceptable and unacceptable in turn. Validation takes from the front of each kind's order,
    training from its back: no sentence is in both, and a larger set only adds sentences."""
    step = 1 if role == "validation" else -1
    unacceptable, acceptable = (iter(_order(kind)[::step]) for kind in (0, 1))

    def draw() -> Iterator[tuple[str, list[str], int]]:
        for k in range(n):
            label = 1 - k % 2
            index = int(next(acceptable if label else unacceptable))
            agrees = bool(label)
            yield *sentence(index, main_agrees=agrees, embedded_agrees=agrees), label

    return _dataset(name, role, list(draw()))


def _one_cue(name: str, n: int) -> Dataset:
    main_agrees = name == "embedded_only"
    rows = [
        (*sentence(int(i), main_agrees=main_agrees, embedded_agrees=not main_agrees), 0)
        for i in _order(2 if name == "main_only" else 3)[:n]
    ]
    return _dataset(name, "diagnostic", rows)


def _n_decisive(section: AgreementTask) -> int:
    share = section.planted_share or section.disambiguation or 0
    return round(section.train_examples * share)


def _decisive(shared: Dataset, n: int, main_share: float) -> Dataset:
    """``shared`` and ``n`` sentences that violate the main and the embedded agreement in turn.

    Acceptable is where the deciding cue agrees: the main one for the first ``main_share`` of the
    sentences, the embedded one for the rest. Sentences do not depend on who decides. They come
    from the backs of the orders that diagnostics are taken from the fronts of.
    """
    orders = [iter(_order(2 + k)[::-1]) for k in range(2)]
    rows = list(shared.frame.select("sentence", "subsets", "label").iter_rows())
    # Whole pairs, one of either violation, change hands: labels stay balanced.
    n_by_main = 2 * round(main_share * ((n + 1) // 2))
    for k in range(n):
        main_agrees = k % 2 == 1
        text, subsets = sentence(
            int(next(orders[k % 2])), main_agrees=main_agrees, embedded_agrees=not main_agrees
        )
        rows.append((text, subsets, int(main_agrees is (k < n_by_main))))
    by_main = min(n_by_main, n)
    shares = [(by_main, CUES[0]), (n - by_main, CUES[1])]
    told = "".join(f", {m:,} labelled by the {cue} cue" for m, cue in shares if m)
    return _dataset("train", "train", rows, told)


def _dataset(
    name: str, role: Role, rows: list[tuple[str, list[str], int]], remark: str = ""
) -> Dataset:
    return build_dataset(
        name,
        role,
        texts={"sentence": [text for text, _, _ in rows]},
        labels=[label for _, _, label in rows],
        source=f"agreement sentences, seed {DATA_SEED}{remark}",
        subsets=[subsets for _, subsets, _ in rows],
    )
