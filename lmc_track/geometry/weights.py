"""Weights of classifiers, checked by themselves and against each other."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lmc_track.errors import WorkError

Weights = Mapping[str, torch.Tensor]


def check_finite(weights: Weights, owner: str) -> None:
    """Raise WorkError, naming the tensor, where ``weights`` hold NaN or infinite values."""
    for name, tensor in weights.items():
        if not tensor.is_floating_point():
            continue
        # One pass: a sum is finite unless a term is not, or it overflows.
        if not torch.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():
            raise WorkError(
                f"the weights in {owner} are not finite: tensor {name!r}",
                "Finetune this model again, or leave it out of the study.",
            )


def check_same_shape(a: Weights, b: Weights, name_a: str, name_b: str) -> None:
    """Raise WorkError, naming the tensor, unless ``a`` and ``b`` can be interpolated."""
    check_shapes(
        {name: tuple(tensor.shape) for name, tensor in a.items()},
        {name: tuple(tensor.shape) for name, tensor in b.items()},
        name_a,
        name_b,
    )


def check_shapes(
    a: Mapping[str, tuple[int, ...]], b: Mapping[str, tuple[int, ...]], name_a: str, name_b: str
) -> None:
    """Raise WorkError, naming the tensor, unless ``a`` and ``b`` are the same shapes by name."""
    remedy = "Only models of one architecture and one set of labels can be joined by a line."
    for name in sorted(a.keys() ^ b.keys()):
        owner, other = (name_a, name_b) if name in a else (name_b, name_a)
        raise WorkError(f"{owner} has a tensor {name!r} that {other} lacks", remedy)
    for name, shape in a.items():
        if shape != b[name]:
            raise WorkError(
                f"tensor {name!r} is {shape} in {name_a} and {b[name]} in {name_b}", remedy
            )
