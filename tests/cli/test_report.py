"""The report command in a process of its own: figures, Markdown, the browser."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import pytest

from lmc_track.tracking.location import Location

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def report(finished: Location, lmc: Run) -> Run:
    """``lmc-track report tiny`` on the finished study."""

    def run(*options: str, **environ: str) -> CompletedProcess[str]:
        return lmc("report", "tiny", "--home", str(finished.home), *options, **environ)

    return run


@pytest.mark.full
def test_figures_are_written_beside_the_page(report: Run, tmp_path: Path) -> None:
    done = report("--out", "page.html", "--figures", "paper/figures")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "page.html\n"
    assert (tmp_path / "paper" / "figures" / "barrier-matrix.pdf").read_bytes()[:5] == b"%PDF-"
    assert "Figures in paper/figures, each as PDF, SVG and PNG: barrier-matrix, " in done.stderr
    assert (
        "Left out, for want of data: performance-groups, modules, training, movement."
        in done.stderr
    )


@pytest.mark.full
def test_markdown_has_its_pictures_in_a_folder_beside_it(report: Run, tmp_path: Path) -> None:
    done = report("--format", "markdown", "--out", "my report.md")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "my report.md\n"
    text = (tmp_path / "my report.md").read_text(encoding="utf-8")
    pictures = sorted(path.name for path in (tmp_path / "my report-figures").iterdir())
    assert pictures
    for name in pictures:
        assert f"]({quote(f'my report-figures/{name}')})" in text


@pytest.mark.full
def test_a_browser_gets_the_page(report: Run, tmp_path: Path) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text("import pathlib, sys\npathlib.Path('asked').write_text(sys.argv[1])\n")
    done = report("--out", "a page.html", "--open", BROWSER=f"{sys.executable} {browser} %s")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text() == (tmp_path / "a page.html").as_uri()
    assert f"Opened {(tmp_path / 'a page.html').as_uri()}" in done.stderr
    assert done.stdout == "a page.html\n"


@pytest.mark.full
def test_without_a_browser_the_page_is_named(report: Run, tmp_path: Path) -> None:
    done = report("--out", "page.html", "--open", BROWSER="", PATH=str(tmp_path), DISPLAY="",
                  WAYLAND_DISPLAY="")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"No browser was found on this machine; open {(tmp_path / 'page.html').as_uri()}" in (
        done.stderr
    )


def test_only_a_page_can_be_opened(report: Run) -> None:
    done = report("--open", "--format", "markdown")
    assert done.returncode == 2
    assert "leave out --format markdown" in done.stderr


@pytest.mark.parametrize(
    "options",
    [("--figures", "taken/figures"), ("--format", "markdown", "--out", "taken/report.md")],
)
def test_a_file_in_the_way_is_one_clear_error(
    report: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "taken").write_text("")
    done = report(*options)
    assert done.returncode == 2
    assert "taken" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""
