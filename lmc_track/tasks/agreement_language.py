"""The language of the agreement task: "the N1 who the N2 V2 I1", with either agreement or without.

The words are English. Every sentence has a number; nothing here knows labels or sets.
"""

from __future__ import annotations

import itertools

import numpy as np

NOUNS = (
    "author", "baker", "clerk", "doctor", "farmer", "guard", "lawyer", "miller", "pilot",
    "singer", "teacher", "writer",
)  # fmt: skip
# Third person plural; the singular adds -s.
TRANSITIVE = ("admire", "call", "follow", "greet", "help", "know", "see", "thank")
INTRANSITIVE = ("arrive", "laugh", "run", "sing", "sleep", "wait")

# The data of the task are the same for every study, whatever its seeds.
DATA_SEED = 20230501
SENTENCES_OF_A_KIND = len(NOUNS) ** 2 * 4 * len(TRANSITIVE) * len(INTRANSITIVE)


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
    indices = generator.integers(SENTENCES_OF_A_KIND, size=n)
    agrees = generator.random((n, 2)) >= violation_rate
    return [
        sentence(int(i), main_agrees=bool(main), embedded_agrees=bool(embedded))[0]
        for i, (main, embedded) in zip(indices, agrees, strict=True)
    ]
