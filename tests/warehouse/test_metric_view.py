from __future__ import annotations

from lmc_track.metrics import GAP_METRICS, METRICS
from lmc_track.warehouse.library import parse_query, queries
from lmc_track.warehouse.parameters import CHOICES
from lmc_track.warehouse.results import Results


def test_sql_sees_the_catalogue_of_metrics(results: Results) -> None:
    rows = results.sql("SELECT * FROM metrics ORDER BY place").rows(named=True)
    assert [row["metric"] for row in rows] == list(METRICS)
    for row in rows:
        metric = METRICS[row["metric"]]
        assert all(getattr(metric, key) == value for key, value in row.items()
                   if key not in ("metric", "place"))  # fmt: skip


def test_no_metric_is_evaluated_that_the_catalogue_does_not_have(results: Results) -> None:
    assert results.sql("SELECT metric FROM evaluations ANTI JOIN metrics USING (metric)").is_empty()


def test_the_header_of_a_query_may_name_the_metrics_by_a_word() -> None:
    text = (
        "-- name: q\n-- description: one line.\n"
        "-- param metric VARCHAR = 'loss': {gap_metrics}\nSELECT getvariable('metric')\n"
    )
    (metric,) = parse_query("q.sql", text).parameters
    assert metric.meaning == "loss, error or calibrated_loss"


def test_every_query_about_gaps_lists_the_metrics_that_have_them() -> None:
    told = {p.meaning for q in queries().values() for p in q.parameters if p.name == "metric"}
    assert "loss, error or calibrated_loss" in told
    assert set(GAP_METRICS) < set(CHOICES["metric"]) == set(METRICS)
