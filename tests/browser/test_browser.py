"""The browser that other tests look with sees pages as a reader does, and keeps their console."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.browser import console_errors, set_screen, wait_for

pytestmark = pytest.mark.full


def page(folder: Path, body: str) -> str:
    file = folder / "page.html"
    file.write_text(f"<!doctype html><meta charset=utf-8>{body}", encoding="utf-8")
    return file.as_uri()


def test_the_console_tells_of_exceptions_once(driver: Any, tmp_path: Path) -> None:
    driver.get(page(tmp_path, "<script>console.log('fine'); throw Error('broken')</script>"))
    errors = console_errors(driver)
    assert len(errors) == 1
    assert "broken" in errors[0]
    assert console_errors(driver) == []


def test_pages_see_the_size_and_the_scheme_that_are_set(driver: Any, tmp_path: Path) -> None:
    set_screen(driver, 390, 844, dark=True)
    driver.get(page(tmp_path, "<p>"))
    assert driver.execute_script("return innerWidth") == 390
    dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
    assert driver.execute_script(dark)


def test_waiting_ends_when_the_page_is_ready(driver: Any, tmp_path: Path) -> None:
    later = "<script>setTimeout(() => document.body.append('ready'), 50)</script>"
    driver.get(page(tmp_path, f"<body>{later}"))
    wait_for(driver, lambda d: "ready" in d.find_element("tag name", "body").text, "the word")
    assert console_errors(driver) == []
