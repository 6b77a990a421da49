"""Best, middle and worst models in the report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lmc_track.report.facts import Facts
from lmc_track.report.group_curves import group_sections, read_group_curves
from lmc_track.warehouse.results import Results

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]


def test_the_section_says_what_the_groups_score_and_how_high_paths_rise(
    results_of: Kinds, facts_of: Read
) -> None:
    (section,) = group_sections(
        results_of("four against four"), facts_of("four against four"), None
    )
    assert section.lede.startswith("The 2 best and the 2 worst models on ")
    assert "nats among the best" in section.lede
    assert "nats best to worst" in section.lede


def test_every_kind_of_pair_is_a_line_with_its_number_of_paths(
    results_of: Kinds, facts_of: Read
) -> None:
    (section,) = group_sections(
        results_of("four against four"), facts_of("four against four"), None
    )
    assert section.plot is not None
    view = section.plot["views"][0]
    assert view["label"] == "validation loss"
    assert [trace["name"] for trace in view["data"]] == [
        "among the best (1)",
        "among the worst (1)",
        "best to worst (4)",
        "among the middle (1)",
        "best to middle (4)",
        "middle to worst (4)",
    ]
    bars = [trace["error_y"] for trace in view["data"]]
    assert all(v >= 0 for bar in bars for v in bar["array"] + bar["arrayminus"])


@pytest.mark.parametrize("kind", ["one model", "one cluster"])
def test_too_few_models_for_groups_of_two_are_not_grouped(
    results_of: Kinds, facts_of: Read, kind: str
) -> None:
    assert read_group_curves(results_of(kind), facts_of(kind), None) is None
