"""Showing a page to whoever sits at this machine."""

from __future__ import annotations

import webbrowser
from pathlib import Path


def open_page(path: Path) -> str:
    """Open the page in a browser; returns what was done, for the user to read."""
    url = path.absolute().as_uri()
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if opened:
        return f"Opened {url} in a browser."
    return f"No browser was found on this machine; open {url} yourself."
