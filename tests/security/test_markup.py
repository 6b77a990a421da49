"""Texts of others stay texts: on the page, in Markdown, in figures, on the terminal."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import polars as pl
import pytest
from markdown_it import MarkdownIt

from lmc_track.cli.output import show
from lmc_track.cli.terminal import TerminalProgress, echo
from lmc_track.plain_text import json_safe, markdown_escaped, printable
from lmc_track.report.facts import Facts, Source, gather
from lmc_track.report.markdown import render_markdown
from lmc_track.report.markdown_text import inline, paragraph
from lmc_track.report.page import embedded_json, render_report
from lmc_track.report.palette import plot_text
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.steps.notes import model_note, point_note
from lmc_track.tracking.pages import run_link
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import open_results
from support.simulated_study import simulated_snapshot

HOSTILE = (
    "<script>document.title='x'</script>", "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>", '" onmouseover="alert(1)', "' onfocus='alert(1)",
    "[a](javascript:alert(1))", "![a](https://example.org/x.png)", "<javascript:alert(1)>",
    "`code` **bold** _x_ ~~y~~ | z", "# heading", "- item", "1. item", "> quote", "```\nfence",
    "<!-- comment", "&lt;b&gt; &amp;", "{{ 7 * 7 }} {% raw %}", "\u202egnp.exe", "\u2066a\u2069",
    "\x1b[31mred\x1b]0;title\x07", "a\x00b\x08\x7f\x9b31m", "a\rb", "=1+1", "$a$", "a\nb",
    "http://example.org/<b>", "\u2028x\u2029", "\ud800",
)  # fmt: skip
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


# ---- the page ----


class _Elements(HTMLParser):
    """Every element with the names of its attributes, and what runs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[tuple[str, tuple[str, ...]]] = set()
        self.targets: set[str] = set()
        self.scripts: list[str] = []
        self.policy = ""
        self._script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.add((tag, tuple(sorted(given))))
        self.targets |= {given[name] or "" for name in ("src", "href") if name in given}
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag == "script" and "type" not in given:
            self._script = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("markup")
    path = folder / "results.duckdb"
    snapshot = simulated_snapshot(folder, n_models=4, n_points=3, n_examples=40)
    rebuild(path, snapshot, DERIVATIONS)
    return open_results(path)


@pytest.fixture(scope="module")
def facts(source: Source) -> Facts:
    return gather(source, "simulated")


def page(source: Source, text: str = "plain") -> _Elements:
    facts = gather(source, "simulated")
    facts.summary.update(description=text, base=text)
    return _Elements(
        render_report(
            source, facts, provenance={text: text}, commands=[(text, text)], runs_url="#/{run}"
        )
    )


@pytest.mark.full
def test_no_text_makes_an_element_or_an_attribute(source: Source) -> None:
    wanted = page(source)
    for text in (" ".join(HOSTILE), HOSTILE[1]):
        found = page(source, text)
        assert found.elements == wanted.elements, text
        assert found.targets == wanted.targets
        assert found.scripts == wanted.scripts


@pytest.mark.full
def test_the_page_runs_its_own_scripts_and_loads_nothing(source: Source) -> None:
    found = page(source, "".join(HOSTILE[:6]))
    hashes = {
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found.scripts
    }
    assert len(hashes) == 2
    rules = dict(rule.strip().split(" ", 1) for rule in found.policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules["script-src"].split()) == {f"'sha256-{digest}'" for digest in hashes}
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert "http" not in found.policy
    assert "unsafe-eval" not in found.policy


@pytest.mark.parametrize("text", HOSTILE)
def test_data_in_the_page_cannot_leave_their_element(text: str) -> None:
    embedded = embedded_json({text: [text]})
    assert not set("<>&") & set(embedded)
    assert not CONTROLS.search(embedded)
    assert json.loads(embedded) == {text: [text]}


@pytest.mark.parametrize("text", HOSTILE)
def test_figures_show_texts_as_they_are(text: str) -> None:
    shown = plot_text(text)
    assert "<" not in shown
    assert not CONTROLS.search(shown)


# ---- Markdown ----


def kinds(text: str) -> set[str]:
    """What Markdown makes of ``text`` beside paragraphs of text."""
    found = set()
    for token in MARKDOWN.parse(text):
        found |= {token.type, *(child.type for child in token.children or ())}
    return found - {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("write", [paragraph, lambda text: f"| {inline(text)} |", markdown_escaped,
                                   lambda text: f"x {inline(text)}"])  # fmt: skip
def test_nothing_in_a_text_is_markdown(text: str, write: Callable[[str], str]) -> None:
    if write is markdown_escaped:
        assert kinds(f"Origin {write(text)}") == set()
    else:
        assert kinds(write(text)) == set()
    assert not CONTROLS.search(write(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_notes_for_mlflow_have_no_markup_of_others(text: str) -> None:
    expected = kinds(model_note("Registered from a."))
    assert kinds(model_note(f"Registered from {text}.")) == expected
    assert kinds(point_note(text, text, 0.5, "all", text)) == set()
    assert kinds(run_link("1", "0" * 32, text)) == {"link_open", "link_close"}


@pytest.mark.full
def test_a_markdown_report_has_no_markup_of_others(source: Source, facts: Facts) -> None:
    def report(text: str) -> str:
        facts.summary.update(description=f"About {text}", base=text)
        return render_markdown(
            source, facts, figures=[], images="x", provenance={"a": text}, commands=[]
        )

    wanted = kinds(report("plain"))
    for text in (" ".join(HOSTILE),):
        assert kinds(report(text)) == wanted, text


# ---- the terminal and files ----


def frame(text: str) -> pl.DataFrame:
    text = text.replace("\ud800", "")  # no column can hold it
    return pl.DataFrame({"name": [text], "list": [[text]], "struct": [{"a": text}]})


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_rows_hold_nothing_that_a_terminal_acts_on(
    capsys: pytest.CaptureFixture[str], text: str, form: str
) -> None:
    show(frame(text), form)
    printed = capsys.readouterr().out
    assert not CONTROLS.search(printed)
    if form == "json":
        assert json.loads(printed)[0]["name"] == text.replace("\ud800", "")
    if form == "markdown":
        assert kinds(printed) <= {
            "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close",
            "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
        }  # fmt: skip


def test_csv_is_written_as_it_is_to_files_and_cleaned_for_terminals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "=1+1\x1b[31m"
    show(frame(text), "csv")
    assert capsys.readouterr().out.splitlines()[1].startswith(text)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(frame(text), "csv")
    assert capsys.readouterr().out.splitlines()[1].startswith("=1+1\\x1b[31m")


@pytest.mark.parametrize("text", HOSTILE)
def test_messages_hold_nothing_that_a_terminal_acts_on(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    TerminalProgress().note(text)
    echo(text)
    printed = capsys.readouterr()
    assert not CONTROLS.search(printed.out + printed.err)


@pytest.mark.parametrize("text", HOSTILE)
def test_written_out_texts_are_the_same_once_and_twice(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    quoted = json.dumps(text, ensure_ascii=False)
    assert json.loads(json_safe(quoted)) == text


def test_texts_in_other_scripts_stay() -> None:
    text = "naïve Größe 日本語 العربية ελ ✓ 😀\tand\nmore"
    assert printable(text) == text
