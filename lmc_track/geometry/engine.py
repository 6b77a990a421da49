"""Evaluating many models and points of one architecture with one model in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from lmc_track.geometry.batching import Batching, Reading, plan_reading
from lmc_track.geometry.devices import cache_limit, torch_device
from lmc_track.geometry.distances import (
    Origin,
    inner_products,
    l2_distance,
    open_origin,
    update_cosine,
)
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.evaluation import Predictions, predictions_of, read
from lmc_track.geometry.interpolation import ResidentModel
from lmc_track.geometry.modules import ALL, moving_tensors
from lmc_track.geometry.planes import PlaneFrame, Shares
from lmc_track.geometry.weights import Weights, check_same_shape
from lmc_track.geometry.weights_cache import Checkpoint, WeightsCache
from lmc_track.models.padding import name_padding
from lmc_track.models.threads import is_small, one_thread, threads_for

# With fewer the threads would wait for the last one to end.
_BATCHES_A_THREAD = 4


@dataclass(frozen=True)
class EngineSettings:
    """How models are evaluated: none of it changes a result beyond rounding, but precision.

    ``device`` is ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``threads`` are those of a model that
    is large enough for more than one (None: as many as torch has).
    """

    precision: str = "fp32"
    batching: Batching = field(default_factory=Batching)
    device: str = "cpu"
    threads: int | None = None


class Engine:
    """Predictions of models and points on a study's evaluation sets.

    Data sets are batched once, each distinct input is read once; one resident model takes on all
    weights in turn.
    """

    def __init__(
        self,
        datasets: Mapping[str, EncodedDataset],
        settings: EngineSettings | None = None,
        base: Path | None = None,
    ) -> None:
        self._settings = settings or EngineSettings()
        self._device = torch_device(self._settings.device)
        self._data = dict(datasets)
        self._readings: dict[tuple[str, ...], Reading] = {}
        self._base = base
        self._origin: Origin | None = None
        self._resident: ResidentModel | None = None
        self._weights = WeightsCache(cache_limit(self._device), self._device)

    def model_predictions(
        self, model: Checkpoint, datasets: Iterable[str]
    ) -> dict[str, Predictions]:
        """Predictions of one saved classifier, of which nothing is held afterwards."""
        resident = self._model(model)
        resident.set_weights(self._weights.read(model, resident.layout))
        return self._evaluate(resident, datasets)

    def path_predictions(
        self,
        model_a: Checkpoint,
        model_b: Checkpoint,
        needed: Mapping[float, Iterable[str]],
        modules: str = ALL,
    ) -> Iterator[tuple[float, dict[str, Predictions]]]:
        """For every alpha in ``needed``, the predictions of that point on the data sets given.

        Only the tensors of ``modules`` move from the first model to the second.
        """
        resident = self._model(model_a)
        a, b = self._ends(model_a, model_b)
        for alpha, datasets in needed.items():
            resident.set_point(a, b, alpha, modules)
            yield alpha, self._evaluate(resident, datasets)

    def plane_predictions(
        self, models: Sequence[Checkpoint], points: Iterable[Shares], datasets: Iterable[str]
    ) -> Iterator[dict[str, Predictions]]:
        """For every one of ``points``, given by its shares of the three ``models``, the
        predictions of that point of their plane on ``datasets``."""
        resident, names = self._model(models[0]), tuple(datasets)
        weights = self._opened(models)
        for shares in points:
            resident.set_mixture(weights, shares)
            yield self._evaluate(resident, names)

    def plane_frame(self, models: Sequence[Checkpoint]) -> PlaneFrame:
        """Where three models are in the plane through them.

        Raises:
            DegeneratePlaneError: they span none.
        """
        a, b, c = self._opened(models)
        return PlaneFrame.spanned(*inner_products(a, b, c))

    def l2_distance(self, model_a: Checkpoint, model_b: Checkpoint, modules: str = ALL) -> float:
        """Euclidean distance of the two models' weights, or of those of ``modules``."""
        a, b = self._ends(model_a, model_b)
        moving = moving_tensors(modules, a)
        return l2_distance({name: a[name] for name in a if name in moving}, b)

    def update_cosine(
        self, model_a: Checkpoint, model_b: Checkpoint, modules: str = ALL
    ) -> float | None:
        """Cosine of the two models' moves away from the base model; None where undefined.

        Of ``modules`` only the tensors that the base model has are looked at.
        """
        if self._base is None:
            return None
        if self._origin is None:
            self._origin = open_origin(self._base, self._model(model_a).model)
        a, b = self._ends(model_a, model_b)
        cosine = update_cosine(a, b, self._origin, moving_tensors(modules, a))
        return None if cosine != cosine else cosine

    def tokens(self, datasets: Iterable[str]) -> int:
        """How many tokens one evaluation on ``datasets`` reads, padding apart."""
        return self._reading(tuple(datasets)).n_tokens

    def _ends(self, model_a: Checkpoint, model_b: Checkpoint) -> tuple[Weights, Weights]:
        a, b = self._opened((model_a, model_b))
        return a, b

    def _opened(self, models: Sequence[Checkpoint]) -> list[Weights]:
        """The weights of models that can be mixed."""
        weights = [self._open(model) for model in models]
        for other, model in zip(weights[1:], models[1:], strict=True):
            check_same_shape(weights[0], other, str(models[0].folder), str(model.folder))
        return weights

    def _open(self, model: Checkpoint) -> Weights:
        return self._weights.get(model, self._model(model).layout)

    def _model(self, model: Checkpoint) -> ResidentModel:
        if self._resident is None:
            settings = self._settings
            self._resident = ResidentModel(
                model.folder, settings.precision, self._device, settings.batching.attention
            )
            for data in self._data.values():
                name_padding(self._resident.model, data.padding.token_id)
        return self._resident

    def _evaluate(self, resident: ResidentModel, datasets: Iterable[str]) -> dict[str, Predictions]:
        names = tuple(datasets)
        if not names:
            return {}
        reading = self._reading(names)
        at_once = self._at_once(resident, reading)
        with one_thread() if at_once > 1 else threads_for(resident.model, self._settings.threads):
            logits = read(resident.model, reading, at_once)
        return {
            name: predictions_of(self._data[name], logits[reading.index[name]]) for name in names
        }

    def _at_once(self, resident: ResidentModel, reading: Reading) -> int:
        """Batches that are read side by side: as many as threads, where there are enough."""
        if self._device.type != "cpu" or is_small(resident.model):
            return 1
        threads = self._settings.threads or torch.get_num_threads()
        return threads if len(reading.batches) >= _BATCHES_A_THREAD * threads else 1

    def _reading(self, names: tuple[str, ...]) -> Reading:
        if names not in self._readings:
            self._readings[names] = plan_reading(
                {name: self._data[name] for name in names}, self._settings.batching, self._device
            )
        return self._readings[names]


_kept: dict[tuple[object, ...], Engine] = {}


def shared_engine(
    datasets: Mapping[str, EncodedDataset], settings: EngineSettings, base: Path | None
) -> Engine:
    """The engine for models of ``base`` on these inputs, kept until others are asked for.

    So work that arrives piece by piece finds the model, the batches and the weights of the
    piece before.
    """
    digests = tuple(sorted((name, data.digest) for name, data in datasets.items()))
    key = (digests, settings, base)
    if key not in _kept:
        _kept.clear()
        _kept[key] = Engine(datasets, settings, base)
    return _kept[key]
