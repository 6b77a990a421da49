"""Files of runs: written whole or not at all, read in place where the store is local."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lmc_track.errors import WorkError
from lmc_track.tracking.store import Store, reporting


def local_folder(artifact_uri: str) -> Path | None:
    """The folder behind a ``file:`` artifact URI; None where a server holds the artifacts."""
    parts = urlsplit(artifact_uri)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


class Artifacts:
    """The artifacts of one store's runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, run_id: str, artifact_uri: str, source: Path, name: str) -> None:
        """Copy the file or folder ``source`` to ``name`` below the run's artifacts.

        Locally it appears under its name only when complete, so that a reader never sees
        half of it and an interrupted copy leaves nothing that counts.
        """
        folder = local_folder(artifact_uri)
        if folder is None:
            parent = str(Path(name).parent)
            self._upload(run_id, source, name, None if parent == "." else parent)
            return
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            if source.is_dir():
                shutil.copytree(source, staging)
                if target.exists():
                    shutil.rmtree(target)
            else:
                shutil.copyfile(source, staging)
                with staging.open("rb+") as file:
                    os.fsync(file.fileno())
            staging.replace(target)
        except OSError as error:
            shutil.rmtree(staging, ignore_errors=True)
            staging.unlink(missing_ok=True)
            raise WorkError(
                f"{target} cannot be written: {error.strerror or error}",
                "Make room or give permission, then run the same command again: "
                "finished work is kept.",
            ) from error

    def _upload(self, run_id: str, source: Path, name: str, parent: str | None) -> None:
        client = self._store.client
        with reporting(self._store.location), tempfile.TemporaryDirectory() as folder:
            if source.is_dir():
                client.log_artifacts(run_id, str(source), name)
            elif source.name == Path(name).name:
                client.log_artifact(run_id, str(source), parent)
            else:
                named = Path(folder) / Path(name).name
                shutil.copyfile(source, named)
                client.log_artifact(run_id, str(named), parent)

    def put_text(self, run_id: str, artifact_uri: str, text: str, name: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / Path(name).name
            file.write_text(text, encoding="utf-8")
            self.put(run_id, artifact_uri, file, name)

    def put_json(self, run_id: str, artifact_uri: str, content: Any, name: str) -> None:
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        self.put_text(run_id, artifact_uri, text + "\n", name)

    def get(self, run_id: str, artifact_uri: str, name: str, *, immutable: bool = True) -> Path:
        """A local path of the artifact ``name``; downloaded once into the cache if need be.

        Raises:
            WorkError: the run does not have it.
        """
        folder = local_folder(artifact_uri)
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

        staging = kept / f".{uuid.uuid4().hex[:8]}.part"
        staging.mkdir(parents=True)
        try:
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
