"""Whether a finetuned model failed. This is the one place that decides it.

A model failed if its mean loss is not finite, if its mean loss exploded (it is more than
``EXPLODED`` times the loss of guessing evenly), or if it is *at chance*: its answers on validation
are no better than the same answers dealt out to the examples at random.

Chance is taken from the model's own answers and not from the share of the largest class alone.
A model that gives one answer to everything, as most failed seeds do, is at chance by either rule:
its accuracy is that answer's share. But on sets with a large majority class, such as CoLA, a
model can be less accurate than the majority answer and yet tell the classes apart.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.05
"""A model is at chance unless a random deal scores as well with a probability below this."""

EXPLODED = 10.0
"""How many times the loss of guessing evenly, log(number of labels), is an exploded loss."""

Labels = NDArray[np.int64]


def failure(
    labels: Labels,
    answers: Labels,
    loss: float,
    n_labels: int,
    training_loss: float | None = None,
) -> str | None:
    """How a model failed, in words that follow its name and "failed:"; None where it did not.

    ``labels`` and ``answers``, shape (n,), are the true and the predicted labels of validation,
    ``loss`` is the mean loss there and ``training_loss`` the last one logged in training, both in
    nats; None is unknown. Examples of a single label, and so few that even a perfect model could
    not be told from chance, say nothing about chance.
    """
    for what, value in (("validation loss", loss), ("training loss", training_loss)):
        if value is None:
            continue
        if not math.isfinite(value):
            return f"its {what} is not finite"
        if n_labels > 1 and value > EXPLODED * math.log(n_labels):
            return (
                f"its {what} exploded to {value:.3g} nats "
                f"({math.log(n_labels):.2g} is the loss of guessing)"
            )
    if chance_p(labels, labels) > LEVEL or chance_p(labels, answers) <= LEVEL:
        return None
    accuracy, expected = float(np.mean(labels == answers)), expected_accuracy(labels, answers)
    text = f"accuracy {accuracy:.2f}, which is chance"
    return text if f"{accuracy:.2f}" == f"{expected:.2f}" else f"{text} ({expected:.2f})"


def expected_accuracy(labels: Labels, answers: Labels) -> float:
    """The mean accuracy of ``answers`` when they are dealt out to the examples at random."""
    true, said = _counts(labels, answers)
    return float(true @ said) / len(labels) ** 2


def chance_p(labels: Labels, answers: Labels) -> float:
    """The probability that a random deal of ``answers`` is right as often as they are; (0, 1].

    The number of right answers over all permutations is asymptotically normal, with the mean and
    the variance of a linear permutation statistic (Hoeffding 1951, Ann. Math. Statist. 22:558).
    1 where every deal is right equally often, as of a model that gives one answer to everything.
    """
    n = len(labels)
    if n < 2:
        return 1.0
    true, said = _counts(labels, answers)
    # How often a pair of a label and an answer agrees beyond what either brings with it.
    excess = np.eye(len(true)) - said[:, None] / n - true[None, :] / n + (true @ said) / n**2
    variance = float(true @ (excess**2) @ said) / (n - 1)
    if variance <= 1e-12 * n:
        return 1.0
    right = int(np.sum(labels == answers))
    z = (right - 0.5 - float(true @ said) / n) / math.sqrt(variance)
    return 0.5 * math.erfc(z / math.sqrt(2))


def _counts(labels: Labels, answers: Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often each label is true, and how often it is said."""
    size = int(max(labels.max(), answers.max())) + 1
    true, said = (np.bincount(one, minlength=size).astype(np.float64) for one in (labels, answers))
    return true, said
