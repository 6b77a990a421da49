"""What a task is: labelled data to finetune on, evaluation sets, and the metric it is judged by."""

from __future__ import annotations

from abc import ABC, abstractmethod

from lmc_track.study.seeds import ModelSeeds
from lmc_track.tasks.dataset import Dataset


class Task(ABC):
    """A text classification task.

    ``metric`` is the name of the task's own metric beside loss and accuracy
    (``accuracy`` where it has no other, ``matthews_correlation`` for CoLA).
    ``evaluation_sets`` are the names that ``evaluation`` accepts, ``validation`` first.
    """

    name: str
    label_names: tuple[str, ...]
    text_columns: tuple[str, ...]
    metric: str
    evaluation_sets: tuple[str, ...]
    primary_diagnostic: str
    """``dataset:subset:metric``: what clusters are compared on unless the study says otherwise."""

    @abstractmethod
    def train(self) -> Dataset:
        """The training set; where the task plants kinds of model, what all kinds share of it."""

    def train_for(self, seeds: ModelSeeds) -> Dataset:
        """What the model of ``seeds`` is finetuned on: the training set, unless kinds are planted.

        Every model has as many examples.
        """
        return self.train()

    def training_sets(self) -> tuple[Dataset, ...]:
        """Every training set that ``train_for`` can give, whatever seeds a study has."""
        return (self.train(),)

    def planted_kind(self, seeds: ModelSeeds) -> str | None:
        """Which kind of model its training data are to make of ``seeds``; None: no kinds."""
        return None

    @abstractmethod
    def evaluation(self, name: str) -> Dataset:
        """The evaluation set ``name``, whole; sampling is the caller's."""
