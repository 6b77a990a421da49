"""Texts survive Markdown, read by a parser of it: shown as they are, and nothing else is made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lmc_track.report.markdown_text import code, code_block, image, inline, paragraph, table
from lmc_track.report.tables import Cell, Column, Table

PLAIN = {"text", "softbreak", "text_special"}
TEXTS = st.text(
    st.one_of(
        st.sampled_from("\\`*_[]<>|~$&#+-=.!(){}:'\"@\n\t 1a"),
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    ),
    max_size=40,
)


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def shown(token: Token) -> str:
    """What a reader sees of a run of text, of which nothing is markup."""
    children = token.children or []
    assert {child.type for child in children} <= PLAIN | {"code_inline"}
    return "".join(" " if child.type == "softbreak" else child.content for child in children)


def folded(text: str) -> str:
    return " ".join(text.split())


@given(TEXTS)
def test_a_paragraph_shows_its_text(text: str) -> None:
    tokens = parse(paragraph(text))
    if folded(text):
        assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        assert shown(tokens[1]) == folded(text)


@given(TEXTS)
def test_a_heading_shows_its_text(text: str) -> None:
    tokens = parse(f"## a{inline(text)}z")
    assert tokens[0].tag == "h2"
    assert shown(tokens[1]) == f"a{folded(text)}z"


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3), st.booleans())
def test_a_table_keeps_its_cells(rows: list[tuple[str, str]], in_code: bool) -> None:
    columns = (Column("a|b", numeric=False), Column("<n>"))
    made = Table("caption", columns, tuple((Cell("x" + a), Cell(b, code=in_code)) for a, b in rows))
    tokens = parse(table(made))
    cells = [t for t, before in zip(tokens[1:], tokens, strict=False) if before.type == "td_open"]
    seen = [shown(token) for token in cells]
    expected = [folded(cell) for a, b in rows for cell in ("x" + a, b)]
    assert seen == expected
    heads = [t for t, before in zip(tokens[1:], tokens, strict=False) if before.type == "th_open"]
    assert [shown(token) for token in heads] == ["a|b", "<n>"]


@given(TEXTS)
def test_code_shows_its_text(text: str) -> None:
    if folded(text):
        (child,) = parse(code(text))[1].children or []
        assert (child.type, child.content) == ("code_inline", folded(text))


def test_a_block_of_code_cannot_be_left() -> None:
    tokens = parse(code_block(["echo ````", "```"]))
    assert [t.type for t in tokens] == ["fence"]
    assert tokens[0].content == "echo ````\n```\n"


def test_names_in_words_are_left_as_they_are() -> None:
    assert inline("main_only on seed-3") == "main_only on seed-3"


@pytest.mark.parametrize("text", ["# a", "- a", "+ a", "1. a", "12) a", "=== a", "---"])
def test_what_would_open_a_block_does_not(text: str) -> None:
    assert parse(paragraph(text))[0].type == "paragraph_open"


def test_notes_stand_in_brackets() -> None:
    made = Table("c", (Column("a", numeric=False),), ((Cell("x", note="a note"),),))
    assert "| x (a note) |" in table(made)


def test_a_picture_has_its_title() -> None:
    (child,) = parse(image("a [title]", "folder/a.png"))[1].children or []
    assert (child.type, child.attrs["src"]) == ("image", "folder/a.png")
    assert shown(child) == "a [title]"
