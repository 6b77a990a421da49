"""Labels of an evaluation set that stand for several of the model's, as HANS's "non-entailment"
stands for neutral and contradiction.

McCoy et al. (2019, arXiv 1902.01007) take the largest of the model's logits; log-sum-exp gives the
logit of the sum of their probabilities. What is averaged is averaged after this, never before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Projection:
    """How a model's logits become those of an evaluation set's own labels.

    ``groups`` has, for each of ``label_names``, the indices of the model's logits that stand for
    it; ``how`` says what is made of several.
    """

    how: Literal["max", "logsumexp"]
    label_names: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        """Raises ValueError where labels and groups do not fit each other."""
        indices = [index for group in self.groups for index in group]
        if len(self.groups) != len(self.label_names) or not all(self.groups):
            raise ValueError("every label needs a group of logits")
        if len(set(indices)) != len(indices) or min(indices) < 0:
            raise ValueError("a logit may stand for one label only")

    @property
    def told(self) -> str:
        """All that it is, in a form that digests may rely on."""
        return f"{self.how} {self.label_names!r} {self.groups!r}"

    def __call__(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Logits (..., c) of the model as logits (..., labels) of the set, in float64.

        A logit that is NaN makes that of its label NaN.
        """
        together = np.maximum if self.how == "max" else np.logaddexp
        z = np.asarray(logits, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            columns = [together.reduce(z[..., list(group)], axis=-1) for group in self.groups]
        return np.stack(columns, axis=-1)


def projected(logits: NDArray[Any], projection: Projection | None) -> NDArray[Any]:
    """``logits`` as those of a set's labels: themselves where nothing is projected."""
    return logits if projection is None else projection(logits)
