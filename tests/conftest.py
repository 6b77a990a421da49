"""Every test runs away from the user's own state, and without a network."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# The same examples every time: one that fails fails for everybody, and is found by looking for it.
settings.register_profile("fixed", derandomize=True, database=None)
settings.load_profile("fixed")

pytest_plugins = [
    "support.browser",
    "support.finished",
    "support.programs",
    "support.results",
]

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LMC_HOME", raising=False)
