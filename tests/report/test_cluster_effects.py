"""What the tables and the lede say of how far clusters are told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from lmc_track.report.cluster_effects import contrast_on, p_of
from lmc_track.report.facts import Facts
from lmc_track.report.ledes import diagnostics_lede
from lmc_track.report.tables import diagnostic_table

Read = Callable[[str], Facts]


def _cells(facts: Facts, name: str) -> dict[str, str]:
    table = diagnostic_table(facts)
    heads = [column.label for column in table.columns]
    row = next(row for row in table.rows if row[0].text == name)
    return dict(zip(heads, [cell.text for cell in row], strict=True))


def test_the_table_has_effect_and_corrected_p(facts_of: Read) -> None:
    cells = _cells(facts_of("four against four"), "embedded_only")
    assert cells["AUC, cluster 1"] == "1.00"
    assert cells["corrected p"] == "0.029".removeprefix("0")
    assert cells["corrected p, given validation"].startswith(".")
    assert _cells(facts_of("four against four"), "validation")["AUC, cluster 1"] != "1.00"


def test_where_models_are_too_few_no_p_is_shown(facts_of: Read) -> None:
    cells = _cells(facts_of("two clusters"), "main_only")
    assert cells["corrected p"] == cells["corrected p, given validation"] == "cannot be said"


def test_of_more_clusters_the_one_most_apart_is_named(facts_of: Read) -> None:
    table = diagnostic_table(facts_of("three clusters"))
    at = [column.label for column in table.columns].index("AUC, cluster most apart")
    row = next(row for row in table.rows if row[0].text == "embedded_only")
    assert row[at].note == "cluster 1"


@pytest.mark.parametrize("kind", ["one cluster", "no clustering", "one model"])
def test_without_clusters_there_is_no_column_of_p(facts_of: Read, kind: str) -> None:
    heads = [column.label for column in diagnostic_table(facts_of(kind)).columns]
    assert not [head for head in heads if "p" in head.split(", ")[0].split()]


def test_the_lede_says_what_so_many_models_can_attain(facts_of: Read) -> None:
    assert diagnostics_lede(facts_of("four against four")).endswith(
        "; 4 against 4 models can attain p = .029 at best."
    )


def test_the_primary_diagnostic_counts_by_itself(facts_of: Read) -> None:
    facts = facts_of("four against four")
    frame = facts.cluster_diagnostics.with_columns(p_corrected=pl.lit(0.5))
    changed = replace(facts, cluster_diagnostics=frame)
    primary, other = (contrast_on(changed, name) for name in ("main_only", "embedded_only"))
    assert primary is not None
    assert other is not None
    assert p_of(changed, primary) == pytest.approx(2 / 70)
    assert p_of(changed, other) == 0.5
