"""What MLflow links a run with: the data sets it was made of, the models it used or made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lmc_track.tracking.runs import RunEntry

_DIGEST = 36
"""Characters of a data set's digest that MLflow keeps."""


@dataclass(frozen=True)
class EvaluatedOn:
    """A data set as MLflow lists it among a run's inputs; ``context`` says what it was for."""

    name: str
    digest: str
    source: str
    context: str


def linked_datasets(datasets: Iterable[EvaluatedOn]) -> list[Any]:
    """MLflow's ``DatasetInput`` of each data set."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return [
        DatasetInput(
            Dataset(data.name, data.digest[:_DIGEST], "local", data.source),
            [InputTag("mlflow.data.context", data.context)],
        )
        for data in datasets
    ]


def linked_models(ids: Iterable[str]) -> list[Any]:
    """MLflow's ``LoggedModelInput`` of each LoggedModel."""
    from mlflow.entities import LoggedModelInput

    return [LoggedModelInput(model_id) for model_id in ids]


def evaluated_as(run: RunEntry, dataset: tuple[str, str] | None) -> dict[str, str]:
    """What MLflow's ``Metric`` takes so that a value is listed with the run's LoggedModel too.

    ``dataset`` is name and digest of what the model was evaluated on.
    """
    if run.logged_model is None or dataset is None:
        return {}
    name, digest = dataset
    return {
        "model_id": run.logged_model,
        "dataset_name": name,
        "dataset_digest": digest[:_DIGEST],
    }
