"""The names under which things are tagged in MLflow, and the versions that every run carries."""

from __future__ import annotations

import json
import platform
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

KIND_TAG = "lmc.kind"
STUDY_TAG = "lmc.study"
KEY_TAG = "lmc.key"
REVISION_TAG = "lmc.revision"
GRID_TAG = "lmc.grid"
BATCHING_TAG = "lmc.batching."
PRECISION_TAG = "lmc.precision_check"
VERSIONS_TAG = "lmc.versions"
EVAL_TAG = "lmc.eval."
FILE_TAG = "lmc.file."
STAMP_TAG = "lmc.sha256."
DAMAGED_TAG = "lmc.damaged."
SOURCE_TAG = "lmc.source"
FAILED_TAG = "lmc.failed"
"""On a model that was judged: how it failed, or ``no``."""
LEFT_OUT_TAG = "lmc.left_out"
"""On a model that does not count: why. For readers of MLflow; nothing reads it back."""
NAME_TAG = "mlflow.runName"
NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
COMMIT_TAG = "mlflow.source.git.commit"

_PACKAGES = (
    "lmc-track", "torch", "transformers", "tokenizers", "datasets", "accelerate", "mlflow",
    "duckdb", "polars", "numpy", "scipy", "scikit-learn",
)  # fmt: skip


def slot(dataset: str, precision: str, own_precision: str) -> str:
    """What an evaluation is called in metric and tag names.

    The data set alone at the precision that the run or its study is about; another precision
    of the same model is named after it.
    """
    return dataset if precision == own_precision else f"{dataset}/{precision}"


def read_slot(name: str, own_precision: str) -> tuple[str, str]:
    """(dataset, precision) of a slot."""
    dataset, _, precision = name.partition("/")
    return dataset, precision or own_precision


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@lru_cache(maxsize=1)
def _versions_text() -> str:
    return json.dumps(versions(), sort_keys=True)


@lru_cache(maxsize=1)
def commit() -> str | None:
    """The git commit of the program when it runs from a checkout."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def common_tags(study: str, kind: str, key: str, name: str, note: str) -> dict[str, str]:
    """The tags that every run is created with."""
    tags = {
        KIND_TAG: kind,
        STUDY_TAG: study,
        KEY_TAG: key,
        REVISION_TAG: "1",
        NAME_TAG: name,
        NOTE_TAG: note,
        VERSIONS_TAG: _versions_text(),
    }
    if (hexsha := commit()) is not None:
        tags[COMMIT_TAG] = hexsha
    return tags
