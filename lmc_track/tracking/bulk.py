"""Whole new runs in one transaction, where the store is a database within reach.

MLflow's client takes a transaction and more for every call, three calls for a run. Here the rows
of many runs are inserted together through MLflow's own tables and connection, so that the runs
are, field by field, those that the client would have made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lmc_track.tracking.bulk_rows import COLUMNS, Metric, NewRun, Row, RowMaker, ordered_id
from lmc_track.tracking.inner_store import database_of
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.revisions import unknown_tables
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store, reporting

# Rows in one statement: databases limit how many values one may carry.
_ROWS = 500


@dataclass(frozen=True)
class ThroughClient:
    """Runs are written through MLflow's client; ``notice`` says why, where it need not be so."""

    notice: str | None = None


class BulkWriter:
    """Runs that are not in the store yet, with all that was logged to them."""

    def __init__(self, inner: Any, experiment_id: str, artifact_root: str) -> None:
        """``inner`` is MLflow's store.

        Raises:
            ImportError: this MLflow lacks something that is needed.
        """
        from mlflow.utils.uri import append_to_uri_path

        self._inner = inner
        self._experiment_id = int(experiment_id)
        mark = ordered_id()
        self._artifact_uri = append_to_uri_path(artifact_root, mark, "artifacts").split(mark)
        self._maker = RowMaker(self._experiment_id)
        self._tables = _Tables(inner.engine.dialect)
        self._runs: dict[str, NewRun] = {}

    def new_id(self) -> tuple[str, str]:
        """An id for a run, and the place for its artifacts that MLflow would give it."""
        run_id = ordered_id()
        return run_id, run_id.join(self._artifact_uri)

    def hold(self, run: RunEntry) -> None:
        """Take up a new run."""
        self._runs[run.run_id] = NewRun(run, run.tags.get("mlflow.user", "unknown"))

    def holds(self, run: RunEntry) -> bool:
        """Whether ``run`` is still to be written; what changes in its entry is then kept."""
        return run.run_id in self._runs

    def log(self, run: RunEntry, params: Mapping[str, str], metrics: Iterable[Metric]) -> None:
        """Take up params and metrics.

        Raises:
            MlflowException: a param has another value already.
        """
        new = self._runs[run.run_id]
        new.add_params(params)
        new.metrics.extend(metrics)

    def log_inputs(
        self, run: RunEntry, datasets: Iterable[EvaluatedOn], models: Iterable[str]
    ) -> None:
        """Take up data sets, and LoggedModels by their ids."""
        new = self._runs[run.run_id]
        new.datasets |= dict.fromkeys(datasets)
        new.models |= dict.fromkeys(models)

    def write(self) -> None:
        """Insert the runs held: all of them or, on any error, none."""
        if not self._runs:
            return
        runs = list(self._runs.values())
        with self._inner.ManagedSessionMaker(read_only=False) as session:
            connection = session.connection()
            stage, datasets = self._tables.experiment(connection, self._experiment_id)
            if stage != "active":  # MLflow says what is wrong with it
                experiment = self._inner.get_experiment(str(self._experiment_id))
                self._inner._check_experiment_is_active(experiment)
            self._tables.insert(connection, self._maker.rows(runs, datasets))
        self._runs = {}

    def forget(self) -> None:
        """Drop the runs held."""
        self._runs = {}


class _Tables:
    """The statements on MLflow's tables, made once."""

    def __init__(self, dialect: Any) -> None:
        from mlflow.store.tracking.dbmodels import models
        from sqlalchemy import bindparam, select

        self._tables = {name: getattr(models, name).__table__ for name in COLUMNS}
        experiment, data = models.SqlExperiment, models.SqlDataset
        self._experiment = (
            select(experiment.lifecycle_stage, data.name, data.digest, data.dataset_uuid)
            .outerjoin_from(experiment, data, data.experiment_id == experiment.experiment_id)
            .where(experiment.experiment_id == bindparam("experiment"))
        )
        # SQLite takes rows one by one, fastest as they are; other databases take them together,
        # which SQLAlchemy knows how to tell each.
        self._texts = (
            {name: _insert_text(self._tables[name], COLUMNS[name], dialect) for name in COLUMNS}
            if dialect.name == "sqlite"
            else None
        )

    def experiment(
        self, connection: Any, experiment_id: int
    ) -> tuple[str | None, dict[tuple[str, str], str]]:
        """An experiment's stage, None where there is none, and its data sets.

        These are their ids by name and digest.
        """
        found = connection.execute(self._experiment, {"experiment": experiment_id}).all()
        return (
            found[0][0] if found else None,
            {(name, digest): key for _, name, digest, key in found if key is not None},
        )

    def insert(self, connection: Any, rows: Mapping[str, list[Row]]) -> None:
        """Insert rows by table, tuples as ``COLUMNS`` names them."""
        if self._texts is not None:
            cursor = connection.connection.cursor()
            for name, some in rows.items():
                cursor.executemany(self._texts[name], some)
            cursor.close()
            return
        for name, some in rows.items():
            statement = self._tables[name].insert()
            dicts = [dict(zip(COLUMNS[name], row, strict=True)) for row in some]
            for start in range(0, len(dicts), _ROWS):
                connection.execute(statement, dicts[start : start + _ROWS])


def _insert_text(table: Any, columns: Sequence[str], dialect: Any) -> str:
    """An INSERT of one row of question marks, quoted as ``dialect`` needs it."""
    quoted = dialect.identifier_preparer
    listed = ", ".join(quoted.quote(column) for column in columns)
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quoted.format_table(table)} ({listed}) VALUES ({marks})"


def bulk_writer(store: Store, experiment_id: str) -> BulkWriter | ThroughClient:
    """A writer for the experiment, where the store is a database whose tables are known here."""
    if store.location.artifact_root is None:
        return ThroughClient()
    with reporting(store.location):
        experiment = store.client.get_experiment(experiment_id)
        try:
            inner: Any = database_of(store)
            unknown = unknown_tables(inner.engine)
            if unknown is None:
                return BulkWriter(inner, experiment_id, experiment.artifact_location)
        except (ImportError, AttributeError):
            unknown = "the MLflow installed has other insides than those that were tested"
    return ThroughClient(
        f"Paths are recorded through MLflow's client, which takes many times as long: the "
        f"tracking store {store.location.shown_uri} is not one that lmc-track writes to itself "
        f"({unknown})."
    )
