"""A real browser for tests of pages: headless Chromium, driven by selenium.

It runs without a profile and reaches no network of its own accord; the console of the page is kept
to be asked for. Waiting is always for a condition, never for a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.needs import missing

Found = TypeVar("Found")

PATIENCE = 120
"""Seconds after which a condition that has not come true is a failure; machines can be busy."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_HOW_TO_GET_IT = (
    "this test needs Chromium and its driver on the PATH: on Debian and Ubuntu "
    "`apt-get install chromium chromium-driver`, on macOS `brew install --cask chromium "
    "chromedriver`"
)
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-quic",
    "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en",
)  # fmt: skip


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """A browser that keeps its state in the folder ``profile`` and ends with the block."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    program = shutil.which("chromedriver")
    if browser is None or program is None:
        missing(_HOW_TO_GET_IT)
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(program))
    try:
        driver.set_page_load_timeout(PATIENCE)
        driver.set_script_timeout(PATIENCE)
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests of a process: to start it takes seconds."""
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def driver(_chromium: Any) -> Any:
    """A selenium driver on an empty page of 1280 by 900 pixels, light, with an empty console."""
    _chromium.switch_to.default_content()
    _chromium.get("about:blank")
    set_screen(_chromium)
    _chromium.get_log("browser")
    return _chromium


def set_screen(driver: Any, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
    """Let the page see a screen of that size (CSS pixels), and a wish for dark or light."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    # What scrolls smoothly is not where a click is aimed at.
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})


def console_errors(driver: Any) -> list[str]:
    """What the console has got of warnings and errors since it was last asked, oldest first.

    Failed requests and uncaught exceptions are among them.
    """
    return [
        f"{entry['level']}: {entry['message']}"
        for entry in driver.get_log("browser")
        if entry["level"] in ("WARNING", "SEVERE")
    ]


def wait_for(driver: Any, condition: Callable[[Any], Found], what: str) -> Found:
    """What ``condition(driver)`` gives once it is true; fails with ``what`` was waited for.

    Elements that come, go or are redrawn meanwhile are looked for again.
    """
    from selenium.common.exceptions import (
        NoSuchElementException,
        StaleElementReferenceException,
        TimeoutException,
    )
    from selenium.webdriver.support.wait import WebDriverWait

    passing = (NoSuchElementException, StaleElementReferenceException)
    wait = WebDriverWait(driver, PATIENCE, poll_frequency=0.2, ignored_exceptions=passing)
    try:
        return wait.until(condition)
    except TimeoutException:
        shown = driver.find_element("tag name", "body").text[:1500]
        pytest.fail(f"waited in vain for {what}; {driver.current_url} shows:\n{shown}")


def screenshot(driver: Any, path: Path) -> None:
    """What the screen shows now, as a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(driver.get_screenshot_as_png())
