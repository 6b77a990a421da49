"""Words of the page: linked where they stand first, explained once, never markup by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lmc_track.report.facts import Facts
from lmc_track.report.glossary import WORDS, Entry, Glossary, dataset_entries

Read = Callable[[str], Facts]


def words_of(html: str) -> list[str]:
    """What is linked in ``html``, in its order."""
    return re.findall(r'<a class="word" href="#[\w-]+" title="[^"]*">([^<]*)</a>', html)


def test_a_word_is_linked_where_it_stands_first_and_not_again() -> None:
    glossary = Glossary()
    assert words_of(glossary.mark("The chord, and the chord again.")) == ["chord"]
    assert words_of(glossary.mark("A chord.")) == []


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("Silhouette, −1 to 1", ["Silhouette"]),
        ("at τ = 2", ["τ"]),
        ("AUC, cluster 1", ["AUC", "cluster"]),
        ("0.07 nats above the chord", ["nats", "chord"]),
        ("the mean convexity gap", ["convexity gap"]),
        ("r = 0.98 (p\u00a0<\u00a0.001)", ["r", "p"]),
        ("model p and model r", []),
        ("gap-model, my_gap and gapped", []),
    ],
)
def test_words_are_found_whole(text: str, linked: list[str]) -> None:
    assert words_of(Glossary().mark(text)) == linked


def test_data_sets_are_explained_by_what_the_study_says_of_them(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    entries = {entry.title: entry.meaning for entry in dataset_entries(facts)}
    assert list(entries) == facts.datasets["dataset"].to_list()
    assert entries["validation"].startswith("The set that the gaps are measured on. 60 examples, ")
    primary = entries[facts.primary.dataset]
    assert "the study's primary diagnostic" in primary
    assert "Subsets: plural and singular" in primary


def test_a_data_set_is_linked_by_its_name(facts_of: Read) -> None:
    glossary = Glossary(dataset_entries(facts_of("two clusters")))
    html = glossary.mark("on main_only and main_only2")
    assert words_of(html) == ["main_only"]
    target = re.search(r'href="#([\w-]+)"', html)
    assert target is not None
    assert target[1] in {entry.key for entry in glossary.datasets()}


def test_a_data_set_with_the_name_of_a_word_does_not_take_its_place() -> None:
    glossary = Glossary([Entry("data-0", "chord", "A set of that name.", ("chord",))])
    assert 'href="#word-chord"' in glossary.mark("the chord")


def test_only_used_words_are_explained_and_those_that_explain_them() -> None:
    glossary = Glossary()
    glossary.mark("the excess")
    titles = [entry.title for entry in glossary.entries()]
    assert {"excess", "chord", "convexity gap"} <= set(titles)
    assert "Mantel test" not in titles
    assert titles == sorted(titles, key=str.lower)


def test_text_cannot_become_markup(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    (entry, *_) = dataset_entries(facts)
    hostile = '"><img src=x> gap'
    glossary = Glossary([replace(entry, names=(hostile,), meaning=hostile)])
    html = glossary.mark(f"{hostile} <b>chord</b> \u202e")
    assert "<img" not in html
    assert "<b>" not in html
    assert "\u202e" not in html


def test_keys_are_unique() -> None:
    assert len({entry.key for entry in WORDS}) == len(WORDS)
