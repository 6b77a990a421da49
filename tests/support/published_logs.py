"""Logs in the form of interpolate_1d.py and eval_models.py, of models whose numbers are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Loss = Callable[[str, str, float], float]


def bump(height: float, skew: float = 0.0) -> Loss:
    """The loss of (1-alpha)·a + alpha·b: .4 at the ends, highest towards b if ``skew`` > 0."""
    return lambda a, b, alpha: 0.4 + height * 4 * alpha * (1 - alpha) * (1 + skew * (alpha - 0.5))


def pair_log(
    first: str,
    second: str,
    losses: Sequence[float],
    *,
    dataset: str = "mnli",
    distance: float = 12.5,
    accuracies: Sequence[float] | None = None,
) -> str:
    """The log of a pair. ``losses`` are those of the points as they are written: the first is that
    of ``second``, whose coefficients are [0, 1]."""
    n = len(losses) - 1
    lines = [
        f"Euclidean distance between {first} and {second}: {distance}.",
        f"Interpolating between {first} and {second} on {dataset}",
    ]
    for k, loss in enumerate(losses):
        accuracy = 0.8 if accuracies is None else accuracies[k]
        lines += [
            f"[{k / n}, {1.0 - k / n}]",
            "  point_num      loss    accuracy",
            "-----------  --------  ----------",
            f"{k:>11}  {loss:8.4f}    {accuracy:8.4f}",
        ]
    lines.append(f"Completed interpolation from {first} to {second}")
    return "\n".join(lines) + "\n"


def write_logs(
    folder: Path,
    models: Sequence[str],
    loss: Loss | None = None,
    *,
    n_points: int = 5,
    dataset: str = "mnli",
    leave_out: Sequence[tuple[str, str]] = (),
) -> Path:
    """One log a pair; ``loss(first, second, share of second)``."""
    of = loss or bump(0.3)
    folder.mkdir(parents=True, exist_ok=True)
    for i, first in enumerate(models):
        for second in models[i + 1 :]:
            if (first, second) not in leave_out:
                shares = [1 - k / (n_points - 1) for k in range(n_points)]
                text = pair_log(
                    first, second, [of(first, second, share) for share in shares], dataset=dataset
                )
                (folder / f"{first}_{second}.log").write_text(text)
    return folder


def evaluation_log(
    labels: Mapping[str, int], samples: Sequence[tuple[str, int, Sequence[float]]]
) -> dict[str, Any]:
    """The content of a log; samples are (sentence, label, probabilities)."""
    return {
        "label_dict": dict(labels),
        "samples": [
            {
                "probabilities": list(probabilities),
                "logits": [float(10 * p) for p in probabilities],
                "label": label,
                "sentence": sentence,
            }
            for sentence, label, probabilities in samples
        ],
    }


def write_json(file: Path, content: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


def names_the_file(error: Exception, file: Path) -> None:
    """A refusal of what is in ``file`` must say where it is."""
    assert str(file) in str(error)
