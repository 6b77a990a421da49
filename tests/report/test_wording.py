"""How numbers and lists are written."""

from __future__ import annotations

import math

import pytest

from lmc_track.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.2345, "1.23"),
        (0.012345, "0.0123"),
        (1234.5, "1,230"),
        (0.9999, "1.00"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_numbers_have_three_significant_digits(value: float | None, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00001, "less than 0.0001"),
        (0.0123, "0.012"),
        (0.5678, "0.568"),
        (1.5678, "1.57"),
    ],
)
def test_gaps_have_two_or_three_digits(value: float, text: str) -> None:
    assert wording.gap(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "p < .001"), (0.001, "p = .001"), (0.0123, "p = .012"), (0.6, "p = .60")],
)
def test_p_values_are_written_as_journals_do(value: float, text: str) -> None:
    assert wording.p_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0%"), (0.0004, "less than 0.1%"), (0.0731, "7.3%"), (1.78, "178%")]
)
def test_percentages_have_no_false_precision(value: float, text: str) -> None:
    assert wording.percent(value) == text


def test_long_lists_count_the_rest() -> None:
    assert wording.listing(["a"]) == "a"
    assert wording.listing(["a", "b", "c"]) == "a, b and c"
    assert wording.listing(list("abcdef"), limit=2) == "a, b and 4 more"
    assert wording.listing(list("abc"), limit=2) == "a, b and c"


def test_a_base_folder_is_named_by_its_last_part() -> None:
    assert wording.base_name("/data/models/minilm/") == "minilm"
    assert wording.base_name("google-bert/bert-base-uncased") == "google-bert/bert-base-uncased"


def test_no_line_breaks_before_a_unit() -> None:
    assert wording.unbroken("gap 0.5 nats, p = .01") == "gap 0.5\u00a0nats, p\u00a0=\u00a0.01"
