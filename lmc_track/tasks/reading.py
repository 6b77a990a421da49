"""Tasks whose sets are read from files or the hub, each once, when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lmc_track.errors import InputError
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.hub import load_splits
from lmc_track.tasks.sampling import TRAIN_SAMPLE, train_sample
from lmc_track.tasks.tables import Table, table_of_frame
from lmc_track.tasks.task import Task


class ReadTask(Task):
    """Keeps what was read; nothing is read before it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Dataset] = {}

    def train(self) -> Dataset:
        return self._get("train")

    def evaluation(self, name: str) -> Dataset:
        if name not in self.evaluation_sets:
            raise KeyError(name)
        return self._get(name)

    def _get(self, name: str) -> Dataset:
        if name not in self._made:
            made = train_sample(self.train()) if name == TRAIN_SAMPLE else self._read(name)
            if not len(made):
                raise InputError(f"the set {name!r} of the task {self.name} has no examples")
            self._made[name] = made
        return self._made[name]

    @abstractmethod
    def _read(self, name: str) -> Dataset:
        """The set ``name``, ``train`` or one of ``evaluation_sets``, whole."""


@dataclass(frozen=True)
class HubSource:
    """A data set of the hub as a study file names it by ``key``."""

    path: str
    config: str | None
    revision: str | None
    key: str

    def read(
        self, split: str, wanted: Sequence[str], environ: Mapping[str, str], remedy: str
    ) -> Table:
        """The columns ``wanted`` of a split.

        Raises:
            InputError: it cannot be had; or which split or column it does not have.
        """
        splits = load_splits(self.path, self.config, self.revision, environ, remedy, self.key)
        if split not in splits:
            raise InputError(
                f"{self.key}: {self.path} has no split {split!r}",
                f"It has {', '.join(splits)}. {remedy}",
            )
        parts = [self.path, self.config, split]
        source = ", ".join(part for part in parts if part)
        return table_of_frame(splits[split], wanted, f"{self.key}: {source}")

    def told(self, split: str) -> str:
        """Where examples came from, as it is recorded."""
        parts = [self.path, self.config, split]
        at = f", revision {self.revision}" if self.revision else ""
        return ", ".join(part for part in parts if part) + at
