"""Reading the runs of a study: all of them once, found again by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lmc_track.errors import WorkError
from lmc_track.tracking.failures import reading_store
from lmc_track.tracking.store import Store
from lmc_track.tracking.tags import (
    EVAL_TAG,
    FILE_TAG,
    KEY_TAG,
    KIND_TAG,
    PARENT_TAG,
    REVISION_TAG,
    STUDY_TAG,
)

_PAGE = 10_000


class _Named(dict[str, Any]):
    """What a run has under names; to ask for one that it must have and lacks is told as damage."""

    def __init__(self, run_id: str, what: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._run_id, self._what = run_id, what

    def __missing__(self, name: str) -> Any:
        raise WorkError(
            f"The run {self._run_id} has no {self._what} {name!r}, which lmc-track gave it: the "
            "tracking store is damaged, or somebody changed the run",
            "Restore the store from a backup, or delete the run in MLflow and run the study again.",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._run_id, self._what, dict(self))


@dataclass
class RunEntry:
    """A run as the tracking store holds it; times in milliseconds since 1970.

    ``logged_model`` is the id of the LoggedModel that the run of a model made.
    """

    run_id: str
    kind: str
    key: str
    name: str
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    logged_model: str | None = None

    def __post_init__(self) -> None:
        self.tags = _Named(self.run_id, "tag", self.tags)
        self.params = _Named(self.run_id, "parameter", self.params)
        self.metrics = _Named(self.run_id, "metric", self.metrics)

    @property
    def finished(self) -> bool:
        return self.status == "FINISHED"

    @property
    def revision(self) -> int:
        """How often a finished run has gained something; 0 where its tag is no number."""
        told = self.tags.get(REVISION_TAG, "0")
        return int(told) if told.isdecimal() else 0

    def evaluation(self, slot: str) -> str | None:
        """The digest of the finished evaluation in ``slot`` (see ``tags.slot``), or None."""
        return self.tags.get(EVAL_TAG + slot)

    def evaluated(self) -> dict[str, tuple[str, str]]:
        """slot → (digest, artifact name of its predictions) of every finished evaluation."""
        return {
            slot: (value, self.tags[FILE_TAG + slot])
            for tag, value in self.tags.items()
            if tag.startswith(EVAL_TAG) and FILE_TAG + (slot := tag[len(EVAL_TAG) :]) in self.tags
        }

    def measured(self) -> dict[str, tuple[str, dict[str, float]]]:
        """slot → (digest, metric → value) of finished evaluations that left no file.

        These are points of imported paths: their numbers are all that is known.
        """
        found = {}
        for tag, value in self.tags.items():
            if (
                tag.startswith(EVAL_TAG)
                and FILE_TAG + (slot := tag[len(EVAL_TAG) :]) not in self.tags
            ):
                ending = f"/{slot}"
                found[slot] = (
                    value,
                    {
                        n.removesuffix(ending): v
                        for n, v in self.metrics.items()
                        if n.endswith(ending)
                    },
                )
        return found


class RunIndex:
    """Runs of one study by kind and key; of two finished runs with one key the oldest counts."""

    def __init__(self, runs: Iterable[RunEntry]) -> None:
        self._finished: dict[str, dict[str, RunEntry]] = {}
        self._unfinished: dict[str, list[RunEntry]] = {}
        self._children: dict[str, dict[str, RunEntry]] = {}
        self.duplicates: list[RunEntry] = []
        for run in sorted(runs, key=lambda run: (run.start_time, run.run_id)):
            if not run.finished:
                self._unfinished.setdefault(run.kind, []).append(run)
            elif run.key in self._finished.setdefault(run.kind, {}):
                self.duplicates.append(run)
            else:
                self._take_up(run)

    def finished(self) -> list[RunEntry]:
        """Finished runs of every kind."""
        return [run for runs in self._finished.values() for run in runs.values()]

    def find(self, kind: str, key: str) -> RunEntry | None:
        return self._finished.get(kind, {}).get(key)

    def all(self, kind: str) -> list[RunEntry]:
        """Finished runs of ``kind``, oldest first."""
        return list(self._finished.get(kind, {}).values())

    def children(self, parent: RunEntry) -> list[RunEntry]:
        """Finished runs whose parent is ``parent``, oldest first."""
        return list(self._children.get(parent.run_id, {}).values())

    def unfinished(self, kind: str) -> list[RunEntry]:
        return self._unfinished.get(kind, [])

    def add(self, run: RunEntry) -> None:
        """Take up a run that was just finished."""
        self._take_up(run)
        self._unfinished[run.kind] = [
            other for other in self.unfinished(run.kind) if other.run_id != run.run_id
        ]

    def remove(self, run: RunEntry) -> None:
        """Forget a finished run that was just deleted."""
        del self._finished[run.kind][run.key]
        self._children.get(run.tags.get(PARENT_TAG, ""), {}).pop(run.run_id, None)

    def _take_up(self, run: RunEntry) -> None:
        self._finished.setdefault(run.kind, {})[run.key] = run
        if PARENT_TAG in run.tags:
            self._children.setdefault(run.tags[PARENT_TAG], {})[run.run_id] = run


def read_runs(
    store: Store, experiment_id: str, kinds: Iterable[str] | None = None
) -> list[RunEntry]:
    """Every run of the experiment that this program made, finished or not; or only ``kinds``."""
    if kinds is None:
        return _search(store, experiment_id, "")
    filters = [f"tags.`{KIND_TAG}` = '{kind}'" for kind in sorted(kinds)]
    return [run for one in filters for run in _search(store, experiment_id, one)]


def _search(store: Store, experiment_id: str, filter_string: str) -> list[RunEntry]:
    runs: list[RunEntry] = []
    token = None
    with reading_store(store.location):
        while True:
            page = store.client.search_runs(
                [experiment_id], filter_string, max_results=_PAGE, page_token=token
            )
            runs.extend(_entry(run) for run in page if KIND_TAG in run.data.tags)
            token = page.token
            if not token:
                return runs


def _entry(run: Any) -> RunEntry:
    tags = dict(run.data.tags)
    return RunEntry(
        run_id=run.info.run_id,
        kind=tags[KIND_TAG],
        key=tags.get(KEY_TAG, ""),
        name=run.info.run_name or "",
        status=run.info.status,
        start_time=run.info.start_time,
        end_time=run.info.end_time,
        artifact_uri=run.info.artifact_uri,
        tags=tags,
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        logged_model=_logged_model(run),
    )


def _logged_model(run: Any) -> str | None:
    made = run.outputs.model_outputs if run.outputs is not None else []
    return made[0].model_id if made else None


def read_run(store: Store, run_id: str) -> RunEntry | None:
    """The run with this id, or None when there is none that this program made."""
    from mlflow.exceptions import MlflowException

    if store.absent:
        return None
    try:
        run = store.client.get_run(run_id)
    except MlflowException:
        return None
    return _entry(run) if {KIND_TAG, STUDY_TAG} <= run.data.tags.keys() else None
