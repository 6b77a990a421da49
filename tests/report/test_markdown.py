"""The Markdown report: the page's sections and tables, pictures, names as they are."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lmc_track.report.facts import Facts, gather
from lmc_track.report.figures.catalogue import drawn_figures
from lmc_track.report.figures.figure import PaperFigure
from lmc_track.report.findings import sentences
from lmc_track.report.markdown import render_markdown
from lmc_track.warehouse.results import Results
from support.renamed import Renamed

COMMANDS = [("Run or resume the study", "lmc-track run simulated --home 'a <b>'")]


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def inlines(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or []]


def visible(tokens: list[Token]) -> str:
    return "".join(child.content if child.content else "\n" for child in inlines(tokens))


@pytest.fixture(scope="module")
def figures(
    results_of: Callable[[str], Results], facts_of: Callable[[str], Facts]
) -> list[PaperFigure]:
    with results_of("two clusters").at_once() as now:
        return drawn_figures(now, facts_of("two clusters"))


@pytest.fixture(scope="module")
def text(
    results_of: Callable[[str], Results],
    facts_of: Callable[[str], Facts],
    figures: list[PaperFigure],
) -> str:
    return render_markdown(
        results_of("two clusters"), facts_of("two clusters"), figures=figures,
        images="my figures", provenance={"Versions": "a|b"}, commands=COMMANDS,
    )  # fmt: skip


def headings(tokens: list[Token]) -> list[str]:
    opened = zip(tokens[1:], tokens, strict=False)
    return [text.content for text, o in opened if o.type == "heading_open" and o.tag == "h2"]


def test_the_sections_are_those_of_the_page(text: str) -> None:
    found = headings(parse(text))
    assert found[:2] == ["Findings", "Barrier matrix"]
    assert {"Along the paths", "Clusters", "Models", "Data"} <= set(found)
    assert found[-1] == "Provenance"


def test_the_findings_are_a_list(text: str, facts_of: Callable[[str], Facts]) -> None:
    tokens = parse(text)
    assert sum(t.type == "ordered_list_open" for t in tokens) == 1
    for sentence in sentences(facts_of("two clusters")):
        assert sentence in visible(tokens)


def test_every_figure_is_shown_once_with_its_caption(text: str, figures: list[PaperFigure]) -> None:
    tokens = parse(text)
    pictures = [unquote(str(c.attrs["src"])) for c in inlines(tokens) if c.type == "image"]
    assert sorted(pictures) == sorted(f"my figures/{figure.name}.png" for figure in figures)
    for figure in figures:
        assert figure.caption in visible(tokens)


def test_tables_are_tables(text: str, facts_of: Callable[[str], Facts]) -> None:
    tokens = parse(text)
    assert sum(t.type == "table_open" for t in tokens) >= 6
    rows = [c.content for c in inlines(tokens)]
    assert all(name in rows for name in facts_of("two clusters").models["name"])
    assert "a|b" in visible(tokens)


def test_commands_are_code(text: str) -> None:
    fences = [t.content for t in parse(text) if t.type == "fence"]
    assert "lmc-track run simulated --home 'a <b>'\n" in fences
    assert any("lmc-track query barrier_matrix" in fence for fence in fences)


def test_names_make_no_markup(
    results_of: Callable[[str], Results], figures: list[PaperFigure]
) -> None:
    names = {
        "seed-0": "<script>alert(1)</script>",
        "seed-1": "a|b",
        "seed-2": "`c` **d**",
        "main_only": "<img src=x onerror=alert(2)>",
        "simulated": "# <script>alert(3)</script>\n- x",
        "A made study with planted clusters.": "1. </details>\n\n# first",
        **{f"simulated validation sentence {i}": f"[x](javascript:y) {i}" for i in range(60)},
    }
    with results_of("two clusters").at_once() as now:
        renamed = Renamed(now, names)
        made = render_markdown(
            renamed, gather(renamed, names["simulated"]), figures=figures, images="figures",
            provenance={"a|b": "<b>\nc"}, commands=[],
        )  # fmt: skip
    tokens = parse(made)
    kinds = {t.type for t in tokens} | {c.type for c in inlines(tokens)}
    assert not kinds & {"html_block", "html_inline", "link_open", "strong_open", "em_open"}
    shown = visible(tokens)
    for name in ("<script>alert(1)</script>", "a|b", "`c` **d**", "[x](javascript:y)"):
        assert name in shown
    assert sum(t.type == "heading_open" and t.tag == "h1" for t in tokens) == 1
