"""The report as a reader uses it: switches, hover, clicks, themes, a phone, an empty console."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lmc_track.report.facts import gather
from lmc_track.report.page import render_report
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import open_results
from support.browser import console_errors, set_screen, wait_for
from support.simulated_study import simulated_snapshot, some_holes

pytestmark = pytest.mark.full

Opened = Callable[..., Any]
RUNS = "http://127.0.0.1:5000/#/experiments/1/runs/{run}?w=x"


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of six models in two clusters, two of whose pairs are holes."""
    folder = tmp_path_factory.mktemp("report")
    snapshot = simulated_snapshot(folder, n_models=6, n_points=5, n_examples=80, holes=some_holes())
    path = folder / "results.duckdb"
    rebuild(path, snapshot, DERIVATIONS)
    results = open_results(path)
    html = folder / "report.html"
    html.write_text(
        render_report(
            results,
            gather(results, "simulated"),
            provenance={"Versions": "lmc-track"},
            commands=[("Again", "lmc-track run simulated")],
            runs_url=RUNS,
        ),
        encoding="utf-8",
    )
    return html


@pytest.fixture(scope="session")
def sent(page: Path) -> Path:
    """The same report of a store without a server."""
    html = page.with_name("sent.html")
    results = open_results(page.with_name("results.duckdb"))
    html.write_text(
        render_report(
            results,
            gather(results, "simulated"),
            provenance={},
            commands=[],
            runs_command="lmc-track ui simulated",
        ),
        encoding="utf-8",
    )
    return html


@pytest.fixture
def opened(driver: Any, page: Path) -> Opened:
    """Opens the report on a screen of a size, and waits until its figures are drawn."""

    def open_(width: int = 1280, height: int = 900, *, dark: bool = False) -> Any:
        set_screen(driver, width, height, dark=dark)
        driver.get(page.as_uri())
        wait_for(driver, _all_drawn, "all figures")
        return driver

    return open_


def _all_drawn(driver: Any) -> bool:
    drawn = "return [...document.querySelectorAll('.plot')].every((p) => p.querySelector('svg'))"
    return bool(driver.execute_script(drawn))


def _press(driver: Any, group: str, text: str) -> None:
    (button,) = [
        b for b in driver.find_elements("css selector", f"#{group} button") if b.text == text
    ]
    button.click()


def _heat(driver: Any) -> dict[str, Any]:
    """What the matrix shows now: title of its colours, value of the last pair."""
    script = """
        const heat = document.getElementById("figure-matrix").data[0];
        return {title: heat.colorbar.title.text, top: heat.zmax, z: heat.z};
    """
    found: dict[str, Any] = driver.execute_script(script)
    return found


def _cell(driver: Any, row: int, column: int) -> tuple[float, float]:
    """The middle of a cell of the matrix on the screen, in CSS pixels."""
    script = """
        const plot = document.getElementById("figure-matrix");
        plot.scrollIntoView({block: "center", behavior: "instant"});
        const box = plot.getBoundingClientRect();
        const {xaxis, yaxis} = plot._fullLayout;
        return [box.left + xaxis._offset + xaxis.d2p(arguments[1]),
                box.top + yaxis._offset + yaxis.d2p(arguments[0])];
    """
    x, y = driver.execute_script(script, row, column)
    return x, y


def _mouse(driver: Any, x: float, y: float, *kinds: str) -> None:
    for kind in kinds:
        event = {"type": kind, "x": x, "y": y}
        if kind != "mouseMoved":
            event |= {"button": "left", "clickCount": 1}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def test_the_console_stays_empty(opened: Opened) -> None:
    driver = opened()
    groups = ("datasets", "metrics", "halves", "orders")
    for group in (*(f"matrix-{name}" for name in groups), "path-datasets"):
        for k in range(len(driver.find_elements("css selector", f"#{group} button"))):
            driver.find_elements("css selector", f"#{group} button")[k].click()
    driver.find_element("id", "theme").click()
    assert console_errors(driver) == []


def test_every_section_of_the_list_is_there(opened: Opened) -> None:
    driver = opened()
    links = driver.find_elements("css selector", "nav a")
    targets = [link.get_attribute("href").split("#")[1] for link in links]
    assert len(targets) > 10
    assert all(driver.find_element("id", target).is_displayed() for target in targets)


def test_the_metric_switch_shows_the_other_matrix(opened: Opened) -> None:
    driver = opened()
    before = _heat(driver)
    _press(driver, "matrix-metrics", "error")
    after = wait_for(driver, lambda d: (h := _heat(d))["title"] != before["title"] and h, "errors")
    assert before["title"] == "convexity gap of the loss, nats"
    assert after["title"] == "convexity gap of the error"
    assert after["z"] != before["z"]


def test_models_can_be_ordered_by_what_they_score(opened: Opened) -> None:
    driver = opened()
    shown = """
        const {data, layout} = document.getElementById("figure-matrix");
        return [layout.xaxis.ticktext, data[0].z, data[0].text];
    """
    before, z, _ = driver.execute_script(shown)
    buttons = driver.find_elements("css selector", "#matrix-orders button")
    buttons[1].click()
    after, moved, texts = wait_for(
        driver, lambda d: (s := d.execute_script(shown))[0] != before and s, "the other order"
    )
    place = {name: k for k, name in enumerate(before)}
    for i, first in enumerate(after):
        for j, second in enumerate(after):
            assert moved[i][j] == z[place[first]][place[second]]
            assert first in texts[i][j]


def test_the_data_set_and_the_half_can_be_switched(opened: Opened) -> None:
    driver = opened()
    before = _heat(driver)["z"]
    _press(driver, "matrix-halves", "discovery")
    discovery = _heat(driver)["z"]
    _press(driver, "matrix-datasets", "main_only")
    assert before != discovery != _heat(driver)["z"]


def test_the_hover_gives_the_pair_and_its_values(opened: Opened) -> None:
    driver = opened()
    _mouse(driver, *_cell(driver, 0, 5), "mouseMoved")
    text = wait_for(
        driver,
        lambda d: d.find_element("css selector", "#figure-matrix .hoverlayer").text,
        "the hover",
    )
    assert "seed-" in text
    assert "convexity gap" in text
    assert "nats" in text


def test_a_click_on_a_cell_opens_the_pairs_curve(opened: Opened) -> None:
    driver = opened()
    _mouse(driver, *_cell(driver, 0, 5), "mouseMoved", "mousePressed", "mouseReleased")
    told = wait_for(driver, lambda d: d.find_element("id", "readout-matrix").text, "the pair")
    assert "convexity gap" in told
    option = "const s = document.getElementById(arguments[0]); return s.selectedOptions[0].text"
    chosen = [driver.execute_script(option, name) for name in ("pair-a", "pair-b")]
    assert all(name in told for name in chosen)
    curves = "return document.getElementById('figure-paths').data.map((t) => t.name)"
    assert " to ".join(chosen) in driver.execute_script(curves) or " to ".join(
        reversed(chosen)
    ) in driver.execute_script(curves)
    run = driver.find_element("link text", "its run in MLflow").get_attribute("href")
    assert re.fullmatch(re.escape(RUNS).replace(r"\{run\}", "[0-9a-f]{32}"), run)


def test_without_a_server_a_click_gives_the_command(driver: Any, sent: Path) -> None:
    set_screen(driver)
    driver.get(sent.as_uri())
    wait_for(driver, _all_drawn, "all figures")
    _mouse(driver, *_cell(driver, 0, 5), "mouseMoved", "mousePressed", "mouseReleased")
    told = wait_for(driver, lambda d: d.find_element("id", "readout-matrix").text, "the pair")
    assert re.search(
        r"its run in MLflow is [0-9a-f]{32}, which is shown by lmc-track ui simulated$", told
    )


def test_holes_are_crossed_out(opened: Opened) -> None:
    driver = opened()
    symbols = "return document.getElementById('figure-matrix').data.map((t) => t.marker?.symbol)"
    assert "x-thin" in driver.execute_script(symbols)


@pytest.mark.parametrize("dark", [False, True])
def test_the_theme_is_the_readers(opened: Opened, dark: bool) -> None:
    driver = opened(dark=dark)
    paper = "return getComputedStyle(document.body).backgroundColor"
    ink = "return document.getElementById('figure-strips')._fullLayout.font.color"
    light = driver.execute_script(paper) == "rgb(255, 255, 255)"
    assert light != dark
    assert driver.execute_script(ink) == ("#e8eaed" if dark else "#1b1f24")


def test_nothing_is_wider_than_a_phone(opened: Opened) -> None:
    driver = opened(390, 844)
    too_wide = """
        return [...document.querySelectorAll("main > *, .plot, figure, h1, h2, p, nav")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
            .map((e) => e.id || e.className || e.tagName);
    """
    assert driver.execute_script(too_wide) == []
    assert driver.execute_script("return document.documentElement.scrollWidth") == 390
    assert console_errors(driver) == []


def test_a_table_that_does_not_fit_says_that_it_scrolls(opened: Opened) -> None:
    driver = opened(390, 844)
    boxes = """
        return [...document.querySelectorAll(".scroll")].filter((e) => e.clientWidth).map((e) => [
            e.scrollWidth > e.clientWidth + 1,
            e.previousElementSibling.textContent.includes("scrolls sideways"),
            getComputedStyle(e).backgroundImage.includes("gradient")]);
    """
    found = driver.execute_script(boxes)
    assert any(scrolls for scrolls, _, _ in found)
    assert all(said == scrolls and shaded for scrolls, said, shaded in found)


def test_nothing_else_is_cut_on_a_phone(opened: Opened) -> None:
    driver = opened(390, 844)
    for fold in driver.find_elements("css selector", "details"):
        driver.execute_script("arguments[0].open = true", fold)
    cut = """
        return [...document.querySelectorAll("main *")]
            .filter((e) => !e.closest(".scroll, .plot, pre.sql"))
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
            .map((e) => e.outerHTML.slice(0, 90));
    """
    assert driver.execute_script(cut) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_paper_has_what_is_folded_on_a_screen(opened: Opened, scripts: bool) -> None:
    """With a script and, for what styles alone do, without the event that the script waits for."""
    driver = opened()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        if scripts:
            driver.execute_script("dispatchEvent(new Event('beforeprint'))")
        shown = """
            return [...document.querySelectorAll("details:not(.query, .query *) table")]
                .map((e) => e.checkVisibility({contentVisibilityAuto: true}) && e.offsetHeight > 0);
        """
        tables = driver.execute_script(shown)
        assert tables
        assert all(tables)
        style = """
            const of = (s, name) => getComputedStyle(document.querySelector(s))[name];
            return [of("p.lede", "breakInside"), of("tbody tr", "breakInside"),
                of("thead", "display"), of(".caption", "breakAfter"), of("p", "orphans")];
        """
        assert driver.execute_script(style) == [
            "avoid",
            "avoid",
            "table-header-group",
            "avoid",
            "3",
        ]
    finally:
        if scripts:
            driver.execute_script("dispatchEvent(new Event('afterprint'))")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert (
        driver.execute_script(
            "return [...document.querySelectorAll('details')].some((e) => e.open)"
        )
        is False
    )


def test_a_word_leads_to_what_it_means(opened: Opened) -> None:
    driver = opened(390, 844)
    word = driver.find_element("css selector", "#findings a.word")
    target = word.get_attribute("href").split("#")[1]
    assert word.get_attribute("title")
    word.click()
    wait_for(
        driver, lambda d: d.execute_script("return location.hash") == f"#{target}", "the entry"
    )
    assert driver.find_element("id", target).is_displayed()


def test_heads_of_printed_tables_are_not_divided_within_a_word(opened: Opened) -> None:
    driver = opened(700, 900)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        divided = """
            const lines = (head) => {
                const text = document.createRange();
                text.selectNodeContents(head);
                return new Set([...text.getClientRects()].map((box) => Math.round(box.top))).size;
            };
            return [...document.querySelectorAll("thead th:not(.split)")]
                .filter((e) => e.offsetHeight)
                .filter((e) => lines(e) > e.textContent.trim().split(/[\\s-]+/).length)
                .map((e) => e.textContent);
        """
        assert driver.execute_script(divided) == []
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
