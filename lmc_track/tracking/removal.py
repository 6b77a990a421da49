"""Removing runs, LoggedModels and experiments from a store for good, as ``mlflow gc`` does.

Artifacts go before the rows that name them, so that what a crash leaves is still on record, for
what it was removed for, and is found again. A server has no such call: there things can only be
marked as deleted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from lmc_track.errors import WorkError
from lmc_track.tracking.inner_store import database_of
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.temporary import temporary


class Remover:
    """Removes from one store; ``final`` says whether for good, or only marked as deleted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._inner: Any = database_of(store)

    @property
    def final(self) -> bool:
        return self._inner is not None

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted."""
        with reporting(self._store.location):
            self._store.client.delete_run(run_id)

    def remove_run(self, run_id: str, artifact_uri: str, folder: Path | None) -> None:
        """Remove a run and its artifacts; ``folder`` is where these lie on this machine.

        Raises:
            WorkError: its artifacts cannot be removed; its row stays.
        """
        _remove_artifacts(artifact_uri, folder, run_id)
        with reporting(self._store.location):
            self._inner._hard_delete_run(run_id)

    def delete_model(self, model_id: str) -> None:
        """Mark a LoggedModel as deleted."""
        with reporting(self._store.location):
            self._store.client.delete_logged_model(model_id)

    def remove_model(self, model_id: str, artifact_uri: str, folder: Path | None) -> None:
        """As ``remove_run``, a LoggedModel."""
        _remove_artifacts(artifact_uri, folder, model_id)
        with reporting(self._store.location):
            self._inner._hard_delete_logged_model(model_id)

    def remove_experiment(self, experiment_id: str) -> bool:
        """Remove a deleted experiment; False where it has runs left, of whoever made them."""
        from mlflow.entities import ViewType

        with reporting(self._store.location):
            runs = self._store.client.search_runs(
                [experiment_id], run_view_type=ViewType.ALL, max_results=1
            )
            if runs:
                return False
            self._inner._hard_delete_experiment(experiment_id)
        return True


def remove_path(path: Path, *, aside: bool = False) -> None:
    """Remove a file, a link (not what it leads to), or a folder with all in it.

    ``aside`` where half a folder would be taken for a whole one: it first gets a name that
    ``is_temporary``.

    Raises:
        WorkError: it cannot be removed.
    """
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
            return
        if aside:
            path = path.rename(temporary(path))
        shutil.rmtree(path)
    except OSError as error:
        raise WorkError(
            f"{path} cannot be removed: {error.strerror or error}", "Give permission to remove it."
        ) from error


def _remove_artifacts(artifact_uri: str, folder: Path | None, owner: str) -> None:
    if folder is not None:
        try:
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                shutil.rmtree(folder)
            if folder.parent.name == owner and folder.parent.is_dir():
                folder.parent.rmdir()
        except OSError as error:
            raise WorkError(
                f"{folder} cannot be removed: {error.strerror or error}",
                "Give permission to remove it.",
            ) from error
        return
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    try:
        get_artifact_repository(artifact_uri).delete_artifacts()
    except (MlflowException, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WorkError(
            f"the artifacts in {artifact_uri} cannot be removed: {reason}",
            "Run `mlflow gc` where they can be reached.",
        ) from error
