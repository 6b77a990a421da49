"""How far apart two models are, and in which directions they left their common origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from lmc_track.geometry.loading import load_classifier_report
from lmc_track.geometry.weights import Weights
from lmc_track.models.checkpoints import StoredTensor, stored_tensors
from lmc_track.models.loading import unique_state

# Numbers taken at a time where sums are formed, so that no whole tensor is copied for them.
_CHUNK = 1 << 20
_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# What layer norms were called in the first checkpoints of BERT.
_OLD_NAMES = ((".weight", ".gamma"), (".bias", ".beta"))


class Origin(Protocol):
    """The pretrained tensors that models were finetuned from, some numbers at a time."""

    def names(self) -> list[str]: ...

    def chunks(self, name: str) -> Iterator[torch.Tensor]: ...


def l2_distance(a: Weights, b: Weights) -> float:
    """Euclidean distance of two models over all floating-point tensors, summed in float64."""
    total = 0.0
    for name, tensor in a.items():
        if tensor.is_floating_point():
            for one, other in zip(_chunks(tensor), _chunks(b[name]), strict=True):
                step = one - other
                total += _dot(step, step)
    return float(total**0.5)


def inner_products(a: Weights, b: Weights, c: Weights) -> tuple[float, float, float]:
    """<u, u>, <u, w> and <w, w> of u = theta_b - theta_a and w = theta_c - theta_a, in float64.

    Over all floating-point tensors.
    """
    uu = uw = ww = 0.0
    for name, tensor in a.items():
        if not tensor.is_floating_point():
            continue
        for one, two, three in zip(
            _chunks(tensor), _chunks(b[name]), _chunks(c[name]), strict=True
        ):
            origin = one.double()
            u, w = two.double() - origin, three.double() - origin
            uu, uw, ww = uu + _dot(u, u), uw + _dot(u, w), ww + _dot(w, w)
    return uu, uw, ww


def update_cosine(a: Weights, b: Weights, origin: Origin, moving: frozenset[str]) -> float:
    """Cosine of (theta_a - theta_0) and (theta_b - theta_0) over the ``moving`` of ``origin``.

    NaN where a model has not moved from ``origin`` at all.
    """
    ab = aa = bb = 0.0
    for name in origin.names():
        if name not in moving:
            continue
        for one, other, start in zip(
            _chunks(a[name]), _chunks(b[name]), origin.chunks(name), strict=True
        ):
            first = start.to(one.device)
            da, db = one - first, other - first
            ab, aa, bb = ab + _dot(da, db), aa + _dot(da, da), bb + _dot(db, db)
    norm = float((aa * bb) ** 0.5)
    return ab / norm if norm > 0 else float("nan")


def open_origin(base: Path, model: Any) -> Origin:
    """The tensors of ``base``'s encoder that a classifier like ``model`` was begun with.

    The freshly initialised head is left out: it has no counterpart before finetuning.
    """
    prefix = f"{model.base_model_prefix}."
    stored = {tensor.name: tensor for tensor in stored_tensors(base)}
    found: dict[str, StoredTensor] = {}
    for name, tensor in unique_state(model).items():
        if not tensor.is_floating_point():
            continue
        one = next((stored[n] for n in _stored_names(name, prefix) if n in stored), None)
        if one is not None and one.shape == tuple(tensor.shape) and one.dtype in _DTYPES:
            found[name] = one
        elif name.startswith(prefix):  # only transformers knows where this one comes from
            return _LoadedOrigin(base)
    return _StoredOrigin(found)


def _stored_names(name: str, prefix: str) -> Iterator[str]:
    for one in (name, name.removeprefix(prefix)):
        yield one
        for new, old in _OLD_NAMES:
            if one.endswith(f"LayerNorm{new}"):
                yield one.removesuffix(new) + old


class _StoredOrigin:
    """Read from its files each time: it would be a whole model more in memory."""

    def __init__(self, tensors: Mapping[str, StoredTensor]) -> None:
        self._tensors = tensors

    def names(self) -> list[str]:
        return list(self._tensors)

    def chunks(self, name: str) -> Iterator[torch.Tensor]:
        tensor = self._tensors[name]
        dtype = _DTYPES[tensor.dtype]
        with tensor.file.open("rb") as stream:
            stream.seek(tensor.begin)
            left = tensor.end - tensor.begin
            while left:
                part = bytearray(min(left, _CHUNK * dtype.itemsize))
                stream.readinto(part)
                left -= len(part)
                yield torch.frombuffer(part, dtype=dtype).float()


class _LoadedOrigin:
    def __init__(self, base: Path) -> None:
        model, report = load_classifier_report(base)
        new = {*report.missing, *report.mismatched}
        self._weights = {
            name: tensor
            for name, tensor in unique_state(model).items()
            if name not in new and tensor.is_floating_point()
        }

    def names(self) -> list[str]:
        return list(self._weights)

    def chunks(self, name: str) -> Iterator[torch.Tensor]:
        return _chunks(self._weights[name])


def _chunks(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The numbers of ``tensor``, some at a time, in float32."""
    flat = tensor.reshape(-1)
    for start in range(0, flat.numel(), _CHUNK):
        yield flat[start : start + _CHUNK].float()


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.sum(a * b, dtype=torch.float64))
