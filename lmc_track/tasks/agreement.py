"""Generated sentences in which two agreements tell the same label, and sets that part them.

"the N1 who the N2 V2 I1" (*the cat who the dogs see sleeps*): the noun N2 agrees in number
with the verb V2 beside it, the noun N1 with the verb I1 at the sentence's end. In training and
validation both agree or both are violated, so either cue solves the task. The diagnostics
violate one of them; every sentence of a diagnostic is unacceptable.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lmc_track.errors import InputError
from lmc_track.study.sections import AgreementTask
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
            return _both_cues(name, "train", section.train_examples)
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


def _dataset(name: str, role: Role, rows: list[tuple[str, list[str], int]]) -> Dataset:
    return build_dataset(
        name,
        role,
        texts={"sentence": [text for text, _, _ in rows]},
        labels=[label for _, _, label in rows],
        source=f"agreement sentences, seed {DATA_SEED}",
        subsets=[subsets for _, subsets, _ in rows],
    )
