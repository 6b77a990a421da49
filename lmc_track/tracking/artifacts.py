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

from lmc_track import damaged_files
from lmc_track.errors import WorkError
from lmc_track.tracking.artifact_names import check_artifact
from lmc_track.tracking.artifact_reading import DamagedArtifactError
from lmc_track.tracking.durable import Part, publish, write_part
from lmc_track.tracking.failures import reporting
from lmc_track.tracking.places import local_folder as local_folder
from lmc_track.tracking.stamps import Stamp, stamp_tags, stamps_of
from lmc_track.tracking.store import Store
from lmc_track.tracking.temporary import temporary


class Artifacts:
    """The artifacts of one store's runs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts: list[Part] = []
        self._stamps: dict[str, dict[str, Stamp]] = {}
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
        self._stamp(run_id, stamps_of(source, name))

    def put_bytes(self, run_id: str, artifact_uri: str, content: bytes, name: str) -> None:
        """Write a file with ``content`` to ``name`` below the run's artifacts, as ``put`` does."""
        self._stamp(run_id, {name: Stamp.of_bytes(content)})
        folder = self._store.folder_of(artifact_uri)
        if folder is not None:
            self._place(folder / name, lambda path: path.write_bytes(content))
            return
        with tempfile.TemporaryDirectory() as made:
            file = Path(made) / Path(name).name
            file.write_bytes(content)
            self._upload(artifact_uri, file, name)

    def stamp_tags(self, run_id: str) -> dict[str, str]:
        """The tags that say what the files put since this was last asked for are."""
        return stamp_tags(self._stamps.pop(run_id, {}))

    def _stamp(self, run_id: str, stamps: dict[str, Stamp]) -> None:
        self._stamps.setdefault(run_id, {}).update(stamps)

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

    def keep_aside(self, run_id: str, artifact_uri: str, name: str) -> None:
        """Where a server holds the artifacts: copy the damaged ``name`` to ``name.damaged``.

        One that cannot be fetched any more is gone already.
        """
        with tempfile.TemporaryDirectory() as folder:
            try:
                got = self.fetch(run_id, name, Path(folder))
            except WorkError:
                return
            kept = got.rename(Path(folder) / f"{Path(name).name}.damaged")
            self._upload(artifact_uri, kept, f"{name}.damaged")
        (self._store.location.cache / "artifacts" / run_id / name).unlink(missing_ok=True)

    def fetch(self, run_id: str, name: str, place: Path) -> Path:
        """Download the artifact ``name`` to the folder ``place``, past the cache.

        Raises:
            DamagedArtifactError: the run does not have it.
            WorkError: it cannot be fetched.
        """
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        check_artifact(run_id, name)
        uri = self._store.location.tracking_uri
        try:
            return Path(
                download_artifacts(
                    run_id=run_id, artifact_path=name, dst_path=str(place), tracking_uri=uri
                )
            )
        except (MlflowException, OSError) as error:
            if self._is_missing(run_id, name):
                raise DamagedArtifactError(run_id, name, name, "it is missing") from error
            raise WorkError(
                f"The artifact {name} of run {run_id} cannot be fetched: {error}",
                "Look at it in the MLflow UI, and whether the server can be reached.",
            ) from error

    def _is_missing(self, run_id: str, name: str) -> bool:
        """Whether the server, which answers, lists no such artifact."""
        from mlflow.exceptions import MlflowException

        parent = Path(name).parent
        try:
            listed = self._store.client.list_artifacts(
                run_id, None if parent == Path() else str(parent)
            )
        except (MlflowException, OSError):
            return False
        return name not in {one.path for one in listed}

    def drop_cached(self, run_id: str, artifact_uri: str, name: str) -> bool:
        """Forget the copy of a server's artifact; False where the file is the artifact itself."""
        if self._store.folder_of(artifact_uri) is not None:
            return False
        (self._store.location.cache / "artifacts" / run_id / name).unlink(missing_ok=True)
        return True

    def get(self, run_id: str, artifact_uri: str, name: str, *, immutable: bool = True) -> Path:
        """A local path of the artifact ``name``; downloaded once into the cache if need be.

        Raises:
            DamagedArtifactError: it is missing.
            WorkError: it cannot be fetched, or ``name`` leads out of the run's artifacts.
        """
        check_artifact(run_id, name)
        folder = self._store.folder_of(artifact_uri)
        if folder is not None:
            path = folder / name
            if not path.exists():
                raise DamagedArtifactError(run_id, name, str(path), "it is missing")
            return path
        kept = self._store.location.cache / "artifacts" / run_id
        path = kept / name
        if path.exists() and immutable:
            return path
        staging = temporary(kept / "fetched")
        try:
            staging.mkdir(parents=True)
            got = self.fetch(run_id, name, staging)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.rmtree(path)
            got.replace(path)
        except OSError as error:
            raise _not_written(error, path) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return path


def set_aside(file: Path) -> Path | None:
    """Give the damaged ``file`` another name beside its own, which is returned; None: it is gone.

    Raises:
        WorkError: it cannot be renamed.
    """
    try:
        return damaged_files.set_aside(file)
    except OSError as error:
        raise _not_written(error, file) from error


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
