"""Showing the UI: a browser is sent to it once it answers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.tracking.location import locate
from lmc_track.tracking.server import check_servable, open_when_ready


def test_a_browser_is_sent_to_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/#/experiments/1"
        opener = open_when_ready(address, server.getsockname()[1])
        assert opener.wait(timeout=120) == 0
    assert (tmp_path / "opened").read_text() == address


def test_a_server_is_left_to_show_itself(tmp_path: Path) -> None:
    location = locate(str(tmp_path), "http://127.0.0.1:9", environ={})
    with pytest.raises(InputError, match="shows its own UI"):
        check_servable(location)
