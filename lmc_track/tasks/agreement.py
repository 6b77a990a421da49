"""Generated sentences in which two agreements tell the same label, and sets that part them.

"the N1 who the N2 V2 I1" (*the cat who the dogs see sleeps*): the noun N2 agrees in number
with the verb V2 beside it, the noun N1 with the verb I1 at the sentence's end. In training and
validation both agree or both are violated, so either cue solves the task. The diagnostics
violate one of them; every sentence of a diagnostic is unacceptable.

With a ``planted_share`` that share of the training sentences violates one agreement alone and is
labelled by one cue, another for models of even and of odd data seeds: which cue a model takes is
then decided by its data, and known. Validation and diagnostics stay as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lmc_track.errors import InputError
from lmc_track.study.seeds import ModelSeeds
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.dataset import Dataset, Role, build_dataset
from lmc_track.tasks.sampling import TRAIN_SAMPLE, train_sample
from lmc_track.tasks.task import Task

NOUNS = (
    "author", "baker", "clerk", "doctor", "farmer", "guard", "lawyer", "miller", "pilot",
    "singer", "teacher", "writer",
)  # fmt: skip
# Third person plural; the singular adds -s.
TRANSITIVE = ("admire", "call", "follow", "greet", "help", "know", "see", "thank")
INTRANSITIVE = ("arrive", "laugh", "run", "sing", "sleep", "wait")

# The data of the task are the same for every study, whatever its seeds.
DATA_SEED = 20230501
_SENTENCES_OF_A_KIND = len(NOUNS) ** 2 * 4 * len(TRANSITIVE) * len(INTRANSITIVE)
_LABEL_NAMES = ("unacceptable", "acceptable")
# What decides the label of a planted sentence, for models of even and of odd data seeds.
PLANTED_KINDS = ("main", "embedded")


def vocabulary() -> tuple[str, ...]:
    """Every word of the language, each once, in a fixed order."""
    forms = [(noun, noun + "s") for noun in NOUNS]
    forms += [(verb + "s", verb) for verb in (*TRANSITIVE, *INTRANSITIVE)]
    return ("the", "who", *itertools.chain.from_iterable(forms))


def sentence(index: int, *, main_agrees: bool, embedded_agrees: bool) -> tuple[str, list[str]]:
    """Sentence ``index`` of the 27,648 of a kind, and the subsets it belongs to.

    ``index`` is read as mixed digits: N1, its number, N2, its number, V2, I1.
    """
    index, final = divmod(index, len(INTRANSITIVE))
    index, inner = divmod(index, len(TRANSITIVE))
    index, plural2 = divmod(index, 2)
    index, noun2 = divmod(index, len(NOUNS))
    noun1, plural1 = divmod(index, 2)
    words = (
        "the",
        _noun(NOUNS[noun1], bool(plural1)),
        "who",
        "the",
        _noun(NOUNS[noun2], bool(plural2)),
        _verb(TRANSITIVE[inner], bool(plural2) is embedded_agrees),
        _verb(INTRANSITIVE[final], bool(plural1) is main_agrees),
    )
    numbers = ("singular", "plural")
    return " ".join(words), [f"n1-{numbers[plural1]}", f"n2-{numbers[plural2]}"]


def _noun(noun: str, plural: bool) -> str:
    return noun + "s" if plural else noun


def _verb(verb: str, plural: bool) -> str:
    return verb if plural else verb + "s"


def pretraining_sentences(violation_rate: float, n: int, seed: int) -> list[str]:
    """``n`` sentences in which each agreement is violated independently at ``violation_rate``."""
    generator = np.random.default_rng((DATA_SEED, 1, seed))
    indices = generator.integers(_SENTENCES_OF_A_KIND, size=n)
    agrees = generator.random((n, 2)) >= violation_rate
    return [
        sentence(int(i), main_agrees=bool(main), embedded_agrees=bool(embedded))[0]
        for i, (main, embedded) in zip(indices, agrees, strict=True)
    ]


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
            ("train_examples and validation_examples", both, 2 * _SENTENCES_OF_A_KIND - 2),
            ("diagnostic_examples", section.diagnostic_examples, _SENTENCES_OF_A_KIND),
            (
                "diagnostic_examples and half of the planted ones",
                section.diagnostic_examples + (_n_planted(section) + 1) // 2,
                _SENTENCES_OF_A_KIND,
            ),
        ):
            if wanted > most:
                raise InputError(
                    f"task.{key}: {wanted:,} sentences are wanted, the language has {most:,}",
                    "Ask for fewer.",
                )
        self._section = section
        self._made: dict[str, Dataset] = {}

    def train(self) -> Dataset:
        return self._get("train")

    def train_for(self, seeds: ModelSeeds) -> Dataset:
        kind = self.planted_kind(seeds)
        return self.train() if kind is None else self._get(f"train, {kind}")

    def training_sets(self) -> tuple[Dataset, ...]:
        if self._section.planted_share is None:
            return (self.train(),)
        return tuple(self._get(f"train, {kind}") for kind in PLANTED_KINDS)

    def planted_kind(self, seeds: ModelSeeds) -> str | None:
        return None if self._section.planted_share is None else PLANTED_KINDS[seeds.data % 2]

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
            return _both_cues(name, "train", section.train_examples - _n_planted(section))
        if name.startswith("train, "):
            return _planted(self.train(), _n_planted(section), name.removeprefix("train, "))
        if name == "validation":
            return _both_cues(name, "validation", section.validation_examples)
        if name == TRAIN_SAMPLE:
            return train_sample(self.train())
        return _one_cue(name, section.diagnostic_examples)


def _order(kind: int) -> NDArray[np.int64]:
    """All sentences of a kind in the fixed random order they are taken in."""
    return np.random.default_rng((DATA_SEED, 0, kind)).permutation(_SENTENCES_OF_A_KIND)


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


def _n_planted(section: AgreementTask) -> int:
    return round(section.train_examples * (section.planted_share or 0))


def _planted(shared: Dataset, n: int, kind: str) -> Dataset:
    """``shared`` and ``n`` sentences that violate the main and the embedded agreement in turn.

    Acceptable is where the cue ``kind`` agrees. Both kinds of model see the same sentences, which
    come from the backs of the orders that diagnostics are taken from the fronts of.
    """
    orders = [iter(_order(2 + k)[::-1]) for k in range(2)]
    rows = list(shared.frame.select("sentence", "subsets", "label").iter_rows())
    for k in range(n):
        main_agrees = k % 2 == 1
        text, subsets = sentence(
            int(next(orders[k % 2])), main_agrees=main_agrees, embedded_agrees=not main_agrees
        )
        rows.append((text, subsets, int(main_agrees is (kind == "main"))))
    return _dataset("train", "train", rows, f", {n:,} labelled by the {kind} cue")


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
