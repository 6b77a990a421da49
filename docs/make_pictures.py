"""Takes the pictures in docs/pictures/ from the home of a finished demo study.

    python docs/make_pictures.py HOME

Needs Chromium and its driver, as the tests of pages do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.steps.recording import find_recorded
from lmc_track.tracking.location import locate
from lmc_track.tracking.pages import experiment_page, run_page
from support.browser import chromium, screenshot, set_screen, wait_for
from support.ui import served_ui

PICTURES = Path(__file__).parent / "pictures"
STUDY = "demo"
SIZE, REPORT_SIZE = (1280, 800), (1100, 1880)


def main(home: str) -> None:
    location = locate(home, environ={})
    record = find_recorded(STUDY, location)
    paths = record.index.all("path")
    # The widest gap: somewhere on the way one cue gives way to the other.
    path = max(paths, key=lambda run: run.metrics["convexity_gap/validation"])
    report = record.index.all("report")[-1]
    here = record.experiment_id
    pages = {
        "mlflow.png": (experiment_page(here), f"report {STUDY}"),
        "mlflow-models.png": (experiment_page(here, "lmc-models"), "accuracy/main_only"),
        "mlflow-paths.png": (experiment_page(here, "lmc-paths"), "convexity_gap/validation"),
        "mlflow-path.png": (run_page(here, path.run_id, "model-metrics"), "barrier_height"),
        "mlflow-report.png": (run_page(here, report.run_id, "artifacts/report.html"), "Path:"),
    }
    with (
        tempfile.TemporaryDirectory() as profile,
        chromium(Path(profile)) as driver,
        served_ui(location, STUDY) as address,
    ):
        set_screen(driver, *SIZE)
        for name, (page, awaited) in pages.items():
            driver.get(address.partition("#")[0] + page)
            wait_for(driver, lambda d, text=awaited: text in _text(d), awaited)
            _close_assistant(driver)
            if "report" in name:
                driver.switch_to.frame(
                    wait_for(driver, lambda d: d.find_element("tag name", "iframe"), "the report")
                )
                wait_for(driver, lambda d: "Findings" in _text(d), "its findings")
                driver.switch_to.default_content()
            _settle(driver)
            screenshot(driver, PICTURES / name)
        set_screen(driver, *REPORT_SIZE)
        driver.get((location.home / "reports" / f"{STUDY}.html").as_uri())
        wait_for(driver, lambda d: d.find_elements("css selector", ".main-svg"), "a figure")
        _settle(driver)
        screenshot(driver, PICTURES / "report.png")


def _text(driver: Any) -> str:
    return str(driver.find_element("tag name", "body").text)


def _close_assistant(driver: Any) -> None:
    """MLflow opens a panel of its own beside every page, which covers a third of it."""
    for button in driver.find_elements("css selector", "button[aria-label='Close']"):
        button.click()


def _settle(driver: Any) -> None:
    """Wait until two frames in a row are the same."""
    seen: list[bytes] = []

    def same(d: Any) -> bool:
        seen.append(d.get_screenshot_as_png())
        return len(seen) > 1 and seen[-1] == seen[-2]

    wait_for(driver, same, "a page that stands still")


if __name__ == "__main__":
    main(sys.argv[1])
