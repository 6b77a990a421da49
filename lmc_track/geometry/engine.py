"""Evaluating many models and points of one architecture with one model in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.evaluation import Batch, Predictions, evaluate, plan_batches
from lmc_track.geometry.interpolation import ResidentModel
from lmc_track.geometry.modules import ALL, moving_tensors
from lmc_track.geometry.weights import (
    Weights,
    WeightsCache,
    check_same_shape,
    l2_distance,
    pretrained_weights,
    update_cosine,
)
from lmc_track.models.threads import threads_for


class Engine:
    """Predictions of models and points on a study's evaluation sets, at one precision.

    Data sets are batched once; one resident model takes on all weights in turn.
    """

    def __init__(
        self, datasets: Mapping[str, EncodedDataset], precision: str, base: Path | None = None
    ) -> None:
        self._data = dict(datasets)
        self._batches: dict[str, list[Batch]] = {}
        self._precision = precision
        self._base = base
        self._origin: Weights | None = None
        self._resident: ResidentModel | None = None
        self._weights = WeightsCache()

    def model_predictions(self, folder: Path, datasets: Iterable[str]) -> dict[str, Predictions]:
        """Predictions of the classifier saved in ``folder``."""
        weights = self._weights.get(folder)
        resident = self._model(folder)
        resident.set_weights(weights)
        return self._evaluate(resident, datasets)

    def path_predictions(
        self,
        folder_a: Path,
        folder_b: Path,
        needed: Mapping[float, Iterable[str]],
        modules: str = ALL,
    ) -> Iterator[tuple[float, dict[str, Predictions]]]:
        """For every alpha in ``needed``, the predictions of that point on the data sets given.

        Only the tensors of ``modules`` move from the first model to the second.
        """
        a, b = self._weights.get(folder_a), self._weights.get(folder_b)
        check_same_shape(a, b, str(folder_a), str(folder_b))
        resident = self._model(folder_a)
        for alpha, datasets in needed.items():
            resident.set_point(a, b, alpha, modules)
            yield alpha, self._evaluate(resident, datasets)

    def l2_distance(self, folder_a: Path, folder_b: Path, modules: str = ALL) -> float:
        """Euclidean distance of the two models' weights, or of those of ``modules``."""
        a, b = self._weights.get(folder_a), self._weights.get(folder_b)
        moving = moving_tensors(modules, a)
        return l2_distance({name: a[name] for name in a if name in moving}, b)

    def update_cosine(self, folder_a: Path, folder_b: Path, modules: str = ALL) -> float | None:
        """Cosine of the two models' moves away from the base model; None where undefined.

        Of ``modules`` only the tensors that the base model has are looked at.
        """
        if self._base is None:
            return None
        if self._origin is None:
            self._origin = pretrained_weights(self._base)
        a, b = self._weights.get(folder_a), self._weights.get(folder_b)
        moving = moving_tensors(modules, a)
        origin = {name: start for name, start in self._origin.items() if name in moving}
        cosine = update_cosine(a, b, origin)
        return None if cosine != cosine else cosine

    def _model(self, folder: Path) -> ResidentModel:
        if self._resident is None:
            self._resident = ResidentModel(folder, self._precision)
        return self._resident

    def _evaluate(self, resident: ResidentModel, datasets: Iterable[str]) -> dict[str, Predictions]:
        with threads_for(resident.model):
            return {
                name: evaluate(resident.model, self._data[name], self._planned(name))
                for name in datasets
            }

    def _planned(self, name: str) -> list[Batch]:
        if name not in self._batches:
            self._batches[name] = plan_batches(self._data[name])
        return self._batches[name]


_kept: dict[tuple[object, ...], Engine] = {}


def shared_engine(
    datasets: Mapping[str, EncodedDataset], precision: str, base: Path | None
) -> Engine:
    """The engine for models of ``base`` on these inputs, kept until others are asked for.

    So work that arrives piece by piece finds the model, the batches and the weights of the
    piece before.
    """
    digests = tuple(sorted((name, data.digest) for name, data in datasets.items()))
    key = (digests, precision, base)
    if key not in _kept:
        _kept.clear()
        _kept[key] = Engine(datasets, precision, base)
    return _kept[key]
