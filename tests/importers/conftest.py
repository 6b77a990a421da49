from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def feather() -> Path:
    """The folder of the published accuracies and memberships of 100 BERTs."""
    folder = Path(os.environ.get("LMC_DATA_DIR", "nowhere")) / "feather"
    if not folder.is_dir():
        pytest.skip("LMC_DATA_DIR with feather/ is not set")
    return folder


@pytest.fixture(scope="session")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for inputs that are made up one after another."""
    return tmp_path_factory.mktemp("fuzzed")
