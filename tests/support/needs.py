"""What a test needs besides Python, where it is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(how_to_get_it: str) -> NoReturn:
    """Pass the test over; on a machine that has to have everything (``CI`` is set) it fails."""
    if os.environ.get("CI"):
        pytest.fail(how_to_get_it, pytrace=False)
    pytest.skip(how_to_get_it)
