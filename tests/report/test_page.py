"""The page: its sections, that it stands alone, and that names cannot break it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from lmc_track.report.facts import Facts, Source, gather
from lmc_track.report.findings import sentences
from lmc_track.report.page import render_report
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.results import Results
from support.renamed import Renamed

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]
Pages = Callable[[str], str]
PROVENANCE = {"Versions": "lmc-track 0.1.0", "Tracking store": "sqlite:////srv/x/mlflow.db"}
COMMANDS = [("Run or resume the study", "lmc-track run simulated --home 'a <b>'")]
HOSTILE = "<script>alert(1)</script>"
ALL = {
    "matrix", "paths", "clusters", "diagnostics", "subsets", "axis", "embedding", "distances",
    "merging", "why", "decisions", "stability", "bases", "clusterings", "models", "data", "cost",
    "provenance", "words",
}  # fmt: skip


class _Page(HTMLParser):
    """Ids of sections, references, scripts by type, and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: set[str] = set()
        self.references: list[str] = []
        self.scripts: list[tuple[str, str]] = []
        self.tags: list[str] = []
        self.text = ""
        self._type: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "section":
            self.sections.add(given["id"] or "")
        if tag in ("script", "style"):
            self._type = given.get("type") or tag
            self.scripts.append((self._type, ""))
        self.references += [given[name] or "" for name in ("src", "href") if name in given]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._type = None

    def handle_data(self, data: str) -> None:
        if self._type is None:
            self.text += data
        else:
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)

    def figures(self) -> dict[str, Any]:
        (text,) = [text for kind, text in self.scripts if kind == "application/json"]
        figures: dict[str, Any] = json.loads(text)
        return figures


def render(source: Source) -> str:
    return render_report(
        source, gather(source, "simulated"), provenance=PROVENANCE, commands=COMMANDS
    )


@pytest.fixture(scope="module")
def html_of(results_of: Kinds) -> Pages:
    """The page of a kind of study, rendered once."""
    rendered: dict[str, str] = {}

    def html(kind: str) -> str:
        if kind not in rendered:
            rendered[kind] = render(results_of(kind))
        return rendered[kind]

    return html


@pytest.fixture(scope="module")
def two(html_of: Pages) -> _Page:
    return _Page(html_of("two clusters"))


def test_a_full_study_has_all_sections(two: _Page) -> None:
    assert two.sections - {"findings"} == ALL


@pytest.mark.parametrize(
    ("kind", "absent", "present"),
    [
        pytest.param(
            "one cluster",
            {"clusters", "missing"},
            {"matrix", "paths", "clusterings"},
            marks=pytest.mark.full,
        ),
        ("no clustering", {"clusters", "clusterings"}, {"matrix", "paths", "diagnostics"}),
        pytest.param("holes", set(), {"missing", "matrix"}, marks=pytest.mark.full),
        (
            "one model",
            {"matrix", "paths", "clusters", "clusterings", "why"},
            {"diagnostics", "models"},
        ),
    ],
)
def test_sections_without_data_are_left_out(
    html_of: Pages, kind: str, absent: set[str], present: set[str]
) -> None:
    sections = _Page(html_of(kind)).sections
    assert not absent & sections
    assert present <= sections


@pytest.mark.parametrize("kind", ["two clusters", "holes", "one model", "parts"])
def test_every_figure_has_a_place_and_every_place_a_figure(html_of: Pages, kind: str) -> None:
    places = set(re.findall(r'id="figure-(\w+)"', html_of(kind)))
    assert places == set(_Page(html_of(kind)).figures())


def test_the_page_refers_to_nothing_outside_itself(two: _Page) -> None:
    assert all(reference.startswith(("#", "data:")) for reference in two.references)
    assert "link" not in two.tags or "data:," in two.references
    styles = [text for kind, text in two.scripts if kind == "style"]
    assert not any("url(" in text or "@import" in text for text in styles)


def test_plotly_is_embedded_once(two: _Page) -> None:
    assert sum("plotly.js v" in text[:200] for _, text in two.scripts) == 1


def test_the_findings_are_on_the_page(two: _Page, facts_of: Read) -> None:
    shown = two.text.replace("\u00a0", " ")
    for sentence in sentences(facts_of("two clusters")):
        assert sentence in shown


def test_provenance_and_commands_are_shown_as_given(two: _Page) -> None:
    assert "sqlite:////srv/x/mlflow.db" in two.text
    assert "lmc-track run simulated --home 'a <b>'" in two.text


def test_each_exhibit_names_the_query_behind_it(two: _Page) -> None:
    for name in ("barrier_matrix", "curves", "ensemble_curves", "cluster_table",
                 "cluster_diagnostics", "barrier_attribution", "models"):  # fmt: skip
        assert f"lmc-track query {name} -p study=simulated" in two.text


def test_the_same_results_give_the_same_page(results_of: Kinds, html_of: Pages) -> None:
    assert render(results_of("one model")) == html_of("one model")


def test_a_small_study_is_little_more_than_plotly(html_of: Pages) -> None:
    assert len(html_of("two clusters").encode()) < 5_000_000


@pytest.fixture(scope="module")
def hostile(results_of: Kinds) -> str:
    names = {
        "seed-0": HOSTILE,
        "seed-1": "</script><b>",
        "main_only": "<img src=x onerror=alert(2)>",
        "simulated": "<script>alert(3)</script>",
        **{f"simulated validation sentence {i}": f"<img src=y>{i}" for i in range(60)},
        "A made study with planted clusters.": "</style><script>alert(4)</script>",
    }
    renamed = Renamed(results_of("two clusters"), names)
    return render_report(
        renamed, gather(renamed, names["simulated"]), provenance={HOSTILE: HOSTILE}, commands=[]
    )


def test_hostile_names_make_no_elements(hostile: str, two: _Page) -> None:
    page = _Page(hostile)
    assert page.tags.count("script") == two.tags.count("script")
    assert "img" not in page.tags
    assert "b" not in page.tags


def test_hostile_names_are_shown_as_they_are(hostile: str) -> None:
    text = _Page(hostile).text
    for name in (HOSTILE, "</script><b>", "<img src=x onerror=alert(2)>", "alert(4)</script>",
                 "<img src=y>"):  # fmt: skip
        assert name in text


def test_figures_get_hostile_names_escaped_for_plotly(hostile: str) -> None:
    figures = _Page(hostile).figures()
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt;"
        in figures["matrix"]["orders"][0]["layout"]["xaxis"]["ticktext"]
    )
    labels = figures["strips"]["layout"]["yaxis"]["ticktext"]
    assert not any("<" in label for label in labels)
    assert HOSTILE in figures["paths"]["models"]


def test_each_query_is_there_with_its_sql(two: _Page) -> None:
    assert queries()["merge_tree"].sql.strip() in two.text


def test_models_lead_to_their_runs_where_there_is_a_ui(
    results_of: Kinds, two: _Page, facts_of: Read
) -> None:
    source = results_of("one model")
    html = render_report(
        source,
        gather(source, "simulated"),
        provenance={},
        commands=[],
        runs_url="http://127.0.0.1:5000/#/experiments/1/runs/{run}?w=x",
    )
    run = facts_of("one model").models["model_id"][0]
    assert f"http://127.0.0.1:5000/#/experiments/1/runs/{run}?w=x" in _Page(html).references
    assert not any("5000" in reference for reference in two.references)


def test_without_a_server_the_page_says_how_to_see_its_runs(
    results_of: Kinds, facts_of: Read
) -> None:
    source = results_of("one model")
    html = render_report(
        source,
        gather(source, "simulated"),
        provenance={},
        commands=[],
        runs_command="lmc-track ui simulated --home '/a <b>'",
    )
    page = _Page(html)
    assert facts_of("one model").models["model_id"][0] in page.text
    assert "lmc-track ui simulated --home '/a <b>'" in page.text
    assert not any("://" in reference for reference in page.references)


def test_every_word_of_the_page_leads_to_its_entry(html_of: Pages) -> None:
    html = html_of("two clusters")
    targets = re.findall(r'<a class="word" href="#([\w-]+)"', html)
    assert len(targets) == len(set(targets)) > 10
    assert all(html.count(f'id="{target}"') == 1 for target in targets)
    shown = html[html.index('id="words"') :]
    for title in ("silhouette", "AUC", "chord", "nats", "τ (tau)", "main_only"):
        assert f"<dfn>{title}</dfn>" in shown
    assert "<details" not in shown


def test_tables_can_be_scrolled_by_keys(html_of: Pages) -> None:
    html = html_of("two clusters")
    boxes = re.findall(r'<div class="scroll[^>]*>', html)
    assert boxes
    for box in [*boxes, *re.findall(r'<pre class="sql[^>]*>', html)]:
        assert 'tabindex="0" role="region" aria-label="' in box


def test_titles_are_escaped(hostile: str) -> None:
    title = re.search(r"<title>(.*?)</title>", hostile)
    assert title is not None
    assert unescape(title[1]).startswith("<script>alert(3)</script>")
