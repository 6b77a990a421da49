"""Writing runs: created, filled, finished; a finished run only ever gains."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.bulk import BulkWriter, ThroughClient, bulk_writer
from lmc_track.tracking.links import EvaluatedOn, evaluated_as, linked_datasets, linked_models
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.tags import PARENT_TAG, REVISION_TAG, common_tags

_METRICS_A_BATCH = 900
_PARAMS_A_BATCH = 90
_LONGEST_VALUE = 5_000
# Requests that a server is asked to answer at once.
_REQUESTS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def now() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return int(time.time() * 1000)


@dataclass(frozen=True)
class MetricValue:
    """One value of a metric; ``timestamp`` fixed by the caller where logging may repeat.

    ``dataset`` (name, digest) is what a model was evaluated on: MLflow then lists the value with
    the run's LoggedModel too, under that data set.
    """

    name: str
    value: float
    step: int = 0
    timestamp: int | None = None
    dataset: tuple[str, str] | None = None


class Recorder:
    """Writes the runs of one study."""

    def __init__(self, store: Store, study: str, experiment_id: str) -> None:
        self.store = store
        self.artifacts = Artifacts(store)
        self._study = study
        self._experiment_id = experiment_id
        self._together: BulkWriter | None = None

    @property
    def notice(self) -> str | None:
        """What the user should know of how paths are recorded, or None."""
        return self._way.notice if isinstance(self._way, ThroughClient) else None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Runs begun inside appear in the store together, at the end, or not at all.

        Their artifacts are there before them, on the disk. A block within another is part of
        it. Where the store is a server they appear one by one, as outside.
        """
        if self._together is not None or isinstance(self._way, ThroughClient):
            yield
            return
        self._together = self._way
        try:
            with self.artifacts.held():
                yield
                self._write()
        finally:
            self._together.forget()
            self._together = None

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """``work(item)`` of every item, in order; side by side where the store is a server.

        Items must not depend on each other. The first error is raised when no work is under way
        any more; what was not begun by then is not.
        """
        if self.store.location.artifact_root is not None:
            return [work(item) for item in items]
        with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="request") as pool:
            waiting = [pool.submit(work, item) for item in items]
            try:
                return [future.result() for future in waiting]
            finally:
                for future in waiting:
                    future.cancel()

    @cached_property
    def _way(self) -> BulkWriter | ThroughClient:
        return bulk_writer(self.store, self._experiment_id)

    def _write(self) -> None:
        """Write the runs begun so far; what is logged to them from here on goes to the store."""
        if self._together is not None:
            self.artifacts.settle()
            with reporting(self.store.location):
                self._together.write()

    def _held(self, run: RunEntry) -> BulkWriter | None:
        """Who holds ``run``, where it is not in the store yet."""
        writer = self._together
        return writer if writer is not None and writer.holds(run) else None

    def start(
        self,
        kind: str,
        key: str,
        name: str,
        note: str,
        *,
        parent: str | None = None,
        tags: Mapping[str, str] | None = None,
        started: int | None = None,
    ) -> RunEntry:
        """Create a running run; ``started`` (milliseconds since 1970) where that is not now."""
        started = now() if started is None else started
        every = common_tags(self._study, kind, key, name, note) | dict(tags or {})
        if parent is not None:
            every[PARENT_TAG] = parent
        writer = self._together
        if writer is not None:
            run_id, artifact_uri = writer.new_id()
        else:
            with reporting(self.store.location):
                info = self.store.client.create_run(
                    self._experiment_id, start_time=started, tags=every, run_name=name
                ).info
            run_id, artifact_uri = info.run_id, info.artifact_uri
        run = RunEntry(
            run_id=run_id,
            kind=kind,
            key=key,
            name=name,
            status="RUNNING",
            start_time=started,
            end_time=None,
            artifact_uri=artifact_uri,
            tags=every,
        )
        if writer is not None:
            writer.hold(run)
        return run

    def log(
        self,
        run: RunEntry,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Iterable[MetricValue] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add params, metrics and, last, tags; what was there already stays as it is."""
        at = now()
        tags = self.artifacts.stamp_tags(run.run_id) | dict(tags or {})
        values = list(metrics)
        given = {
            name: str(value)[:_LONGEST_VALUE]
            for name, value in (params or {}).items()
            if value is not None
        }
        run.metrics.update({m.name: m.value for m in values})
        run.params.update(given)
        run.tags.update(tags)
        if (writer := self._held(run)) is not None:
            numbers = [
                (m.name, m.value, m.timestamp if m.timestamp is not None else at, m.step)
                for m in values
            ]
            with reporting(self.store.location):
                writer.log(run, given, numbers)
            return
        self._write()  # an addition comes after what it adds
        self._log_batches(run, values, given, tags, at)

    def _log_batches(
        self,
        run: RunEntry,
        values: Sequence[MetricValue],
        params: Mapping[str, str],
        tags: Mapping[str, str],
        at: int,
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        logged = [
            Metric(
                m.name,
                m.value,
                m.timestamp if m.timestamp is not None else at,
                m.step,
                **evaluated_as(run, m.dataset),
            )
            for m in values
        ]
        given = [Param(name, value) for name, value in params.items()]
        client = self.store.client
        with reporting(self.store.location):
            while len(logged) > _METRICS_A_BATCH or len(given) > _PARAMS_A_BATCH:
                client.log_batch(
                    run.run_id, metrics=logged[:_METRICS_A_BATCH], params=given[:_PARAMS_A_BATCH]
                )
                logged, given = logged[_METRICS_A_BATCH:], given[_PARAMS_A_BATCH:]
            last = [RunTag(name, value) for name, value in tags.items()]
            if logged or given or last:
                client.log_batch(run.run_id, metrics=logged, params=given, tags=last)

    def forget_tags(self, run: RunEntry, names: Iterable[str]) -> None:
        """Remove tags of a run that is in the store; those that it does not have are skipped."""
        with reporting(self.store.location):
            for name in names:
                if run.tags.pop(name, None) is not None:
                    self.store.client.delete_tag(run.run_id, name)

    def raised_revision(self, run: RunEntry) -> dict[str, str]:
        """The tag that says the run has gained something; part of the last batch of it."""
        return {REVISION_TAG: str(run.revision + 1)}

    def finish(self, run: RunEntry, status: str = "FINISHED", *, ended: int | None = None) -> None:
        ended = now() if ended is None else ended
        if stamps := self.artifacts.stamp_tags(run.run_id):
            self.log(run, tags=stamps)
        if self._held(run) is None:
            self._write()
            with reporting(self.store.location):
                self.store.client.set_terminated(run.run_id, status=status, end_time=ended)
        run.status, run.end_time = status, ended

    def delete(self, runs: Iterable[RunEntry]) -> None:
        """Delete runs that do not count, with the logged models that point at them."""
        doomed = {run.run_id for run in runs}
        if not doomed:
            return
        client = self.store.client
        with reporting(self.store.location):
            for model in _logged_models(client, self._experiment_id):
                if model.source_run_id in doomed:
                    client.delete_logged_model(model.model_id)
            for run_id in doomed:
                client.delete_run(run_id)

    def log_inputs(
        self, run: RunEntry, datasets: Sequence[EvaluatedOn], models: Sequence[RunEntry] = ()
    ) -> None:
        """Data sets and models that ``run`` is made of, as MLflow lists them on its page.

        ``models`` are runs of models; those without a LoggedModel are passed over.
        """
        used = [model.logged_model for model in models if model.logged_model is not None]
        if (writer := self._held(run)) is not None:
            writer.log_inputs(run, datasets, used)
            return
        self._write()
        with reporting(self.store.location):
            self.store.client.log_inputs(run.run_id, linked_datasets(datasets), linked_models(used))

    def log_model(
        self, run: RunEntry, name: str, params: Mapping[str, Any], weights: str | None = None
    ) -> None:
        """A LoggedModel that refers to the run's ``model/``; the weights stay in one place.

        ``weights`` says where they are when that is not among the run's artifacts.

        MLflow allows no full stop in its name: there it is a hyphen.
        """
        from mlflow.entities import LoggedModelOutput

        self._write()
        client = self.store.client
        reference = weights or f"runs:/{run.run_id}/model"
        with reporting(self.store.location):
            model = client.create_logged_model(
                self._experiment_id,
                name=name.replace(".", "-"),
                source_run_id=run.run_id,
                tags={"lmc.study": self._study, "lmc.key": run.key, "lmc.weights": reference},
                params={k: str(v)[:500] for k, v in params.items() if v is not None},
                model_type="text-classification",
            )
            client.finalize_logged_model(model.model_id, "READY")
            client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, step=0)])
        run.logged_model = model.model_id


def _logged_models(client: Any, experiment_id: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = client.search_logged_models([experiment_id], page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found
