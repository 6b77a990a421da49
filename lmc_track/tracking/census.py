"""Every study, run and LoggedModel of a store, deleted ones too, with the least that tells them.

Reading whole runs takes a store of tens of thousands half a minute. Here a database is asked for a
few columns and tags, in one statement; a server can only be asked for everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lmc_track.tracking.experiments import all_studies
from lmc_track.tracking.inner_store import database_of
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.tags import GRID_TAG, KEY_TAG, KIND_TAG, PARENT_TAG, STUDY_TAG

_PAGE = 10_000
_TOLD = ("path", "plane", "model")
_PARAMS = frozenset(
    {
        "model_a", "model_b", "model_c", "weights_digest", "weights_digest_a", "weights_digest_b",
        "weights_digest_c", "origin",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountedExperiment:
    """An experiment that is, or was, a study; ``changed`` in milliseconds since 1970."""

    experiment_id: str
    study: str
    deleted: bool
    artifact_uri: str
    changed: int


@dataclass(frozen=True, slots=True)
class CountedRun:
    """A run of this program; ``changed`` is when it was deleted, else ended, else begun.

    ``params`` are those of models, paths and planes that say what they are of.
    """

    run_id: str
    experiment_id: str
    kind: str
    key: str
    parent: str
    grid: str
    status: str
    deleted: bool
    artifact_uri: str
    changed: int
    params: dict[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.status == "FINISHED"


@dataclass(frozen=True, slots=True)
class CountedModel:
    """A LoggedModel of a study; ``run_id`` is the run that made it."""

    model_id: str
    experiment_id: str
    run_id: str
    deleted: bool
    artifact_uri: str
    changed: int


@dataclass(frozen=True)
class Census:
    """``runs`` are of every experiment, studies or not; a point is read before its path."""

    studies: tuple[CountedExperiment, ...]
    runs: tuple[CountedRun, ...]
    models: tuple[CountedModel, ...]


def take_census(store: Store, study: str | None = None) -> Census:
    """All of the store that this program made; with ``study``, of that one alone.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    if store.absent:
        return Census((), (), ())
    inner = database_of(store)
    with reporting(store.location):
        studies = tuple(
            one for one in recorded_studies(store) if study is None or one.study == study
        )
        known = {one.experiment_id for one in studies}
        only = known if study is not None else None
        if inner is None:
            runs = tuple(_runs_of_server(store.client, only))
        else:
            runs = tuple(_runs_of_database(inner, only))
        models = tuple(
            _models_of_server(store.client, known)
            if inner is None
            else _models_of_database(inner, known)
        )
    return Census(studies, runs, models)


def recorded_studies(store: Store) -> list[CountedExperiment]:
    """Every study of the store, deleted ones too.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    return [
        CountedExperiment(one.experiment_id, one.name, one.deleted, one.artifact_uri, one.changed)
        for one in all_studies(store)
    ]


def _runs_of_database(inner: Any, experiments: Iterable[str] | None) -> Iterator[CountedRun]:
    from mlflow.store.tracking.dbmodels.models import SqlParam, SqlRun, SqlTag
    from sqlalchemy import and_, select
    from sqlalchemy.orm import aliased

    tags = {name: aliased(SqlTag) for name in (KIND_TAG, KEY_TAG, PARENT_TAG, GRID_TAG)}
    kind = tags[KIND_TAG]
    query = select(
        SqlRun.run_uuid,
        SqlRun.experiment_id,
        *(tag.value for tag in tags.values()),
        SqlRun.status,
        SqlRun.lifecycle_stage,
        SqlRun.artifact_uri,
        SqlRun.start_time,
        SqlRun.end_time,
        SqlRun.deleted_time,
    ).join(kind, and_(kind.run_uuid == SqlRun.run_uuid, kind.key == KIND_TAG))
    for name in (KEY_TAG, PARENT_TAG, GRID_TAG):
        tag = tags[name]
        query = query.outerjoin(tag, and_(tag.run_uuid == SqlRun.run_uuid, tag.key == name))
    told = (
        select(SqlParam.run_uuid, SqlParam.key, SqlParam.value)
        .join(kind, and_(kind.run_uuid == SqlParam.run_uuid, kind.key == KIND_TAG))
        .where(kind.value.in_(_TOLD), SqlParam.key.in_(_PARAMS))
    )
    if experiments is not None:
        within = [int(one) for one in experiments]
        query = query.where(SqlRun.experiment_id.in_(within))
        told = told.join(SqlRun, SqlRun.run_uuid == SqlParam.run_uuid).where(
            SqlRun.experiment_id.in_(within)
        )
    with inner.ManagedSessionMaker() as session:
        # One transaction, so that no path is missing that a point in it has.
        rows = session.execute(query).all()
        params: dict[str, dict[str, str]] = {}
        for run_id, name, value in session.execute(told):
            params.setdefault(run_id, {})[name] = value
    for run_id, experiment, kind_of, key, parent, grid, status, stage, uri, *times in rows:
        started, ended, gone = times
        yield CountedRun(
            run_id=run_id,
            experiment_id=str(experiment),
            kind=kind_of,
            key=key or "",
            parent=parent or "",
            grid=grid or "",
            status=status,
            deleted=stage == "deleted",
            artifact_uri=uri or "",
            changed=gone or ended or started or 0,
            params=params.get(run_id, {}),
        )


def _runs_of_server(client: Any, experiments: Iterable[str] | None) -> Iterator[CountedRun]:
    from mlflow.entities import ViewType

    if experiments is None:
        every = _pages(lambda token: client.search_experiments(ViewType.ALL, page_token=token))
        experiments = [one.experiment_id for one in every]
    wanted = list(experiments)
    if not wanted:
        return
    # Newest first, as a server gives them: points before the path that was begun before them.
    found = _pages(
        lambda token: client.search_runs(
            wanted, f"tags.`{KIND_TAG}` LIKE '%'", ViewType.ALL, _PAGE, page_token=token
        )
    )
    for run in found:
        tags, info = run.data.tags, run.info
        kind = tags[KIND_TAG]
        params = run.data.params if kind in _TOLD else {}
        yield CountedRun(
            run_id=info.run_id,
            experiment_id=info.experiment_id,
            kind=kind,
            key=tags.get(KEY_TAG, ""),
            parent=tags.get(PARENT_TAG, ""),
            grid=tags.get(GRID_TAG, ""),
            status=info.status,
            deleted=info.lifecycle_stage == "deleted",
            artifact_uri=info.artifact_uri or "",
            changed=info.end_time or info.start_time or 0,
            params={name: params[name] for name in _PARAMS & params.keys()},
        )


def _models_of_database(inner: Any, experiments: Iterable[str]) -> Iterator[CountedModel]:
    from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlLoggedModelTag
    from sqlalchemy import select

    query = (
        select(
            SqlLoggedModel.model_id,
            SqlLoggedModel.experiment_id,
            SqlLoggedModel.source_run_id,
            SqlLoggedModel.lifecycle_stage,
            SqlLoggedModel.artifact_location,
            SqlLoggedModel.last_updated_timestamp_ms,
        )
        .join(SqlLoggedModelTag, SqlLoggedModelTag.model_id == SqlLoggedModel.model_id)
        .where(
            SqlLoggedModelTag.tag_key == STUDY_TAG,
            SqlLoggedModel.experiment_id.in_([int(one) for one in experiments]),
        )
    )
    with inner.ManagedSessionMaker() as session:
        rows = session.execute(query).all()
    for model_id, experiment, run_id, stage, uri, changed in rows:
        yield CountedModel(
            model_id, str(experiment), run_id or "", stage == "deleted", uri, changed or 0
        )


def _models_of_server(client: Any, experiments: Iterable[str]) -> Iterator[CountedModel]:
    wanted = list(experiments)
    if not wanted:
        return
    found = _pages(lambda token: client.search_logged_models(wanted, page_token=token))
    for one in found:
        if STUDY_TAG not in one.tags:
            continue
        yield CountedModel(
            one.model_id,
            one.experiment_id,
            one.source_run_id or "",
            False,  # a server tells only of those that are there
            one.artifact_location,
            one.last_updated_timestamp or 0,
        )


def _pages(read: Any) -> Iterator[Any]:
    token = None
    while True:
        page = read(token)
        yield from page
        token = page.token
        if not token:
            return
