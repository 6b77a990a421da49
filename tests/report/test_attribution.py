"""Why the barrier is there: the sentence, the tables, the ensemble's curve beside the path's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from lmc_track.report.attribution import (
    Parts,
    dataset_table,
    example_table,
    lede,
    part_table,
    read,
)
from lmc_track.report.curve_views import CurveView, curve_views, views_for_page
from lmc_track.report.facts import Facts
from lmc_track.report.sections import Exhibits, sections
from lmc_track.warehouse.results import Results

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]


@pytest.fixture(scope="module")
def parts(results_of: Kinds, facts_of: Read) -> Parts:
    found = read(results_of("two clusters"), facts_of("two clusters"), None)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def views(results_of: Kinds, facts_of: Read) -> list[CurveView]:
    return curve_views(results_of("two clusters"), facts_of("two clusters"), None)


WHOLE = {
    "level": "subset", "subset": "all", "label": None, "n_examples": 221, "n_pairs": 39,
    "mean_excess": 0.55625, "mean_departure": 0.55628, "mean_averaging": 0.00003,
    "mean_chord": 0.00118, "share": 1.0, "share_of_examples": 1.0, "share_positive": 0.997,
}  # fmt: skip
MOST = {**WHOLE, "subset": "n2-singular", "share": 0.7157, "share_of_examples": 0.5023}
LESS = {**WHOLE, "subset": "n2-plural", "share": 0.2843, "share_of_examples": 0.4977}


def test_the_lede_says_what_averaging_saves_of_what_it_could_and_who_carries_most() -> None:
    assert lede(Parts(" between clusters", WHOLE, [MOST, LESS], [], [], {})) == (
        "Where discovery examples put a pair's gap, held-out examples of validation lie 0.556 "
        "nats above the chord, on average over 39 pairs between clusters. Averaging the logits "
        "there instead of the weights would lose less than 0.0001 nats less than the chord, where "
        "0.0012 nats is all that it could save. Of its subsets n2-singular carries most, 72% of "
        "the excess with 50% of the examples."
    )


def test_without_the_chord_nothing_is_said_of_what_averaging_could_save() -> None:
    text = lede(Parts("", {**WHOLE, "mean_chord": None}, [], [], [], {}))
    assert text.endswith("would lose less than 0.0001 nats less than the chord.")


def test_without_subsets_a_label_carries_most() -> None:
    labels = [
        {**part, "level": "label", "label": name, "subset": "all"}
        for part, name in ((MOST, "a"), (LESS, "b"))
    ]
    assert "Of its labels label a carries most, 72%" in lede(Parts("", WHOLE, [], labels, [], {}))
    assert "carries" not in lede(Parts("", WHOLE, [], labels[:1], [], {}))


def test_parts_that_carry_alike_carry_neither_most_nor_least() -> None:
    for alike in ([MOST], [MOST, {**LESS, "share": MOST["share"]}]):
        assert "carries" not in lede(Parts("", WHOLE, alike, [], [], {}))


def test_an_excess_below_zero_is_said_to_be_none() -> None:
    none = {**WHOLE, "mean_excess": -0.0123, "share": None}
    text = lede(Parts("", none, [{**MOST, "share": None}], [], [], {}))
    assert "do not lie above the chord (−0.012 nats)" in text
    assert "carries" not in text


def test_the_parts_are_those_of_the_query(parts: Parts, results_of: Kinds) -> None:
    query = results_of("two clusters").query("barrier_attribution", level="label")
    rows = part_table(parts).rows
    assert [row[0].text for row in rows] == [
        "all", *(f"label {label}" for label in query["label"]),
    ]  # fmt: skip
    assert [row[2].text for row in rows[1:]] == [f"{v:.4f}" for v in query["mean_excess"]]


def test_ten_sentences_are_shown_with_their_labels(parts: Parts) -> None:
    rows = example_table(parts).rows
    assert len(rows) == 10
    assert {row[0].text for row in rows} <= {"acceptable", "unacceptable"}
    assert all(row[1].text.startswith("simulated validation sentence") for row in rows)


def test_a_long_text_is_cut_and_columns_are_told_apart(parts: Parts) -> None:
    long = {**parts.examples[0], "text": "a premise\t" + "hypothesis " * 40}
    text = example_table(replace(parts, examples=[long])).rows[0][1].text
    assert text.startswith("a premise | hypothesis hypothesis")
    assert text.endswith("…")
    assert len(text) <= 161


def test_subsets_that_carry_less_are_counted(parts: Parts) -> None:
    table = part_table(replace(parts, subsets=[MOST] * 11))
    assert "3 subsets that carry less left out" in table.caption


def test_the_other_data_sets_are_in_a_table_of_their_own(parts: Parts) -> None:
    table = dataset_table(parts)
    assert table is not None
    assert [row[0].text for row in table.rows] == ["train_sample", "embedded_only", "main_only"]
    assert dataset_table(replace(parts, others={})) is None


def test_nothing_is_said_where_there_is_no_path(results_of: Kinds, facts_of: Read) -> None:
    assert read(results_of("one model"), facts_of("one model"), None) is None


def test_without_attributions_the_section_is_left_out(results_of: Kinds, facts_of: Read) -> None:
    source = _Without(results_of("two clusters"))
    facts = facts_of("two clusters")
    shown = sections(source, facts, Exhibits(curve_views(source, facts, None)), None)
    assert "why" not in {section.key for section in shown}
    assert "ensemble" not in " ".join(s.caption + " ".join(s.queries) for s in shown)


@dataclass(frozen=True)
class _Without:
    """Results of an import without predictions: nothing is attributed, no ensemble is known."""

    results: Results

    def query(self, name: str, **params: Any) -> pl.DataFrame:
        frame = self.results.query(name, **params)
        return frame.clear() if name in ("barrier_attribution", "ensemble_curves") else frame


def test_ensembles_are_of_losses_only(views: list[CurveView]) -> None:
    for view in views:
        known = [group.ensemble is not None for group in view.groups]
        assert known == [view.metric == "loss"] * len(view.groups)


def test_ensembles_are_turned_as_their_pairs_are(
    views: list[CurveView], results_of: Kinds, facts_of: Read
) -> None:
    """At α = 0 the ensemble is the model of the lower-numbered cluster."""
    losses = results_of("two clusters").query("models", half="held-out")["validation_loss"]
    for group in views[0].groups:
        assert group.ensemble is not None
        for end, at in ((0, 0), (1, -1)):
            own = np.median([losses[pair[end]] for pair in group.pairs])
            assert group.ensemble[at] == pytest.approx(own, abs=1e-6)


def test_the_page_gets_one_ensemble_a_group(views: list[CurveView], facts_of: Read) -> None:
    first, second = views_for_page(views, facts_of("two clusters"))["views"][:2]
    assert all(len(group["ensemble"]) == 3 for group in first["groups"])
    assert all(group["ensemble"] is None for group in second["groups"])
