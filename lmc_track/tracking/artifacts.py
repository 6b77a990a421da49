"""Files of runs: written whole or not at all, read in place where the store is local.

Artifacts come before the rows that speak of them. In a folder within reach each is written beside
its name as ``.NAME.XXXXXXXX.part`` (eight hexadecimal digits), brought to the disk and renamed; the
rows of its run follow. What a crash leaves is therefore

- such a ``.part``, a file or a folder, anywhere below the artifacts of a run, and
- artifacts of a run that has no row, in a folder with the run's id below the experiment's.

Neither is ever read, and either can be deleted while nobody records the study.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lmc_track.errors import WorkError
from lmc_track.tracking.artifact_names import check_artifact
from lmc_track.tracking.durable import Part, publish, write_part
from lmc_track.tracking.failures import reporting
from lmc_track.tracking.places import local_folder as local_folder
from lmc_track.tracking.store import Store
from lmc_track.tracking.temporary import temporary


class Artifacts:
    """The artifacts of one store's runs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts: list[Part] = []
        self._holding = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, files put in local folders appear together, when ``settle`` is called.

        Those that have not appeared at the end are dropped. To bring many files to the disk at
        once takes little longer than one.
        """
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
            while self._parts:
                self._parts.pop().discard()

    def settle(self) -> None:
        """Bring the files held to the disk and give them their names.

        Raises:
            WorkError: that could not be done; the rows that speak of them must not be written.
        """
        parts, self._parts = self._parts, []
        _publish(parts)

    def put(self, run_id: str, artifact_uri: str, source: Path, name: str) -> None:
        """Copy the file or folder ``source`` to ``name`` below the run's artifacts.

        Locally it appears under its name only when complete, so that a reader never sees
        half of it and an interrupted copy leaves nothing that counts.

        Raises:
            WorkError: it cannot be written.
        """
        folder = self._store.folder_of(artifact_uri)
        if folder is None:
            self._upload(artifact_uri, source, name)
        else:
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            self._place(folder / name, lambda path: copy(source, path))

    def put_bytes(self, run_id: str, artifact_uri: str, content: bytes, name: str) -> None:
        """Write a file with ``content`` to ``name`` below the run's artifacts, as ``put`` does."""
        folder = self._store.folder_of(artifact_uri)
        if folder is not None:
            self._place(folder / name, lambda path: path.write_bytes(content))
            return
        with tempfile.TemporaryDirectory() as made:
            file = Path(made) / Path(name).name
            file.write_bytes(content)
            self._upload(artifact_uri, file, name)

    def _place(self, target: Path, write: Callable[[Path], object]) -> None:
        try:
            part = write_part(target, write)
        except OSError as error:
            raise _not_written(error, target) from error
        if self._holding:
            self._parts.append(part)
        else:
            _publish([part])

    def _upload(self, artifact_uri: str, source: Path, name: str) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        where = Path(name)
        parent = None if where.parent == Path() else str(where.parent)
        with reporting(self._store.location):
            place = get_artifact_repository(
                artifact_uri, tracking_uri=self._store.location.tracking_uri
            )
            if source.is_dir():
                place.log_artifacts(str(source), name)
            elif source.name == where.name:
                place.log_artifact(str(source), parent)
            else:
                with tempfile.TemporaryDirectory() as folder:
                    named = Path(folder) / where.name
                    shutil.copyfile(source, named)
                    place.log_artifact(str(named), parent)

    def put_text(self, run_id: str, artifact_uri: str, text: str, name: str) -> None:
        self.put_bytes(run_id, artifact_uri, text.encode(), name)

    def put_json(self, run_id: str, artifact_uri: str, content: Any, name: str) -> None:
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        self.put_text(run_id, artifact_uri, text + "\n", name)

    def get(self, run_id: str, artifact_uri: str, name: str, *, immutable: bool = True) -> Path:
        """A local path of the artifact ``name``; downloaded once into the cache if need be.

        Raises:
            WorkError: the run does not have it, or ``name`` leads out of its artifacts.
        """
        check_artifact(run_id, name)
        folder = self._store.folder_of(artifact_uri)
        if folder is not None:
            path = folder / name
            if not path.exists():
                raise WorkError(
                    f"run {run_id} has lost its artifact {name} ({path})",
                    "Restore the file, or delete the run in MLflow and run the study again.",
                )
            return path
        kept = self._store.location.cache / "artifacts" / run_id
        path = kept / name
        if path.exists() and immutable:
            return path
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        staging = temporary(kept / "fetched")
        try:
            staging.mkdir(parents=True)
            got = download_artifacts(
                run_id=run_id,
                artifact_path=name,
                dst_path=str(staging),
                tracking_uri=self._store.location.tracking_uri,
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.rmtree(path)
            Path(got).replace(path)
        except (MlflowException, OSError) as error:
            raise WorkError(f"run {run_id}: artifact {name} cannot be fetched: {error}") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return path


def _publish(parts: Sequence[Part]) -> None:
    try:
        publish(parts)
    except OSError as error:
        for part in parts:
            part.discard()
        raise _not_written(error, parts[0].target) from error


def _not_written(error: OSError, target: Path) -> WorkError:
    return WorkError(
        f"{target} cannot be written: {error.strerror or error}",
        "Make room or give permission, then run the same command again: finished work is kept.",
    )
