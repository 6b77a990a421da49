"""The SQL twins give the numbers of the Python functions, and the published ones."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pytest

from lmc_track.geometry.curves import (
    barrier_height,
    convexity_gap,
    convexity_gap_support,
    curve_area,
    interpolation_instability,
)

NAMES = ("barrier_height", "interpolation_instability", "convexity_gap", "curve_area")
PYTHON = dict(
    zip(NAMES, (barrier_height, interpolation_instability, convexity_gap, curve_area), strict=True)
)
Curve = tuple[list[float], list[float]]


def by_sql(curves: list[Curve]) -> list[dict[str, object]]:
    connection = duckdb.connect()
    try:
        macro = files("lmc_track.queries.views").joinpath("curve_measures.sql").read_text("utf-8")
        connection.execute(macro)
        connection.execute("CREATE TABLE given(curve INT, alphas DOUBLE[], losses DOUBLE[])")
        connection.executemany(
            "INSERT INTO given VALUES (?, ?, ?)",
            [(n, alphas, losses) for n, (alphas, losses) in enumerate(curves)],
        )
        frame = connection.sql("SELECT * FROM curve_measures('given') ORDER BY curve").pl()
        return frame.to_dicts()
    finally:
        connection.close()


def test_sql_and_python_agree_on_random_curves() -> None:
    rng = np.random.default_rng(0)
    curves: list[Curve] = []
    for _ in range(300):
        n = int(rng.integers(0, 12))
        alphas = [0.0, *np.sort(rng.uniform(0.01, 0.99, n)).tolist(), 1.0]
        curves.append((alphas, rng.normal(size=n + 2).round(int(rng.integers(0, 8))).tolist()))
    for row, (alphas, losses) in zip(by_sql(curves), curves, strict=True):
        for name in NAMES:
            assert row[name] == pytest.approx(PYTHON[name](alphas, losses), abs=1e-9), name
        support = convexity_gap_support(alphas, losses)
        assert (row["support"] is None) == (support is None)


def test_sql_and_python_agree_on_where_a_gap_is() -> None:
    """Straight pieces and equal heights included: few values on few alphas make many of both."""
    rng = np.random.default_rng(1)
    curves: list[Curve] = []
    for _ in range(400):
        n = int(rng.integers(2, 12))
        alphas = [k / (n - 1) for k in range(n)]
        curves.append((alphas, (rng.integers(0, 4, n) / rng.choice([1, 4, 10])).tolist()))
    for row, (alphas, losses) in zip(by_sql(curves), curves, strict=True):
        found = row["support"]
        support = tuple(found.values()) if isinstance(found, dict) else None
        assert support == convexity_gap_support(alphas, losses), (alphas, losses)


def test_a_straight_piece_of_the_hull_is_one_edge() -> None:
    alphas = [0.0, 0.25, 0.5, 0.75, 1.0]
    row = by_sql([(alphas, [1.0, 0.75, 0.5, 0.5, 0.0])])[0]
    assert row["support"] == {"l": 0.0, "alpha": 0.75, "r": 1.0}
    assert row["convexity_gap"] == 0.25


def test_what_is_no_curve_is_null() -> None:
    rows = by_sql(
        [([0.0, 0.5], [1.0, 2.0]), ([0.0, 1.0], [1.0, float("nan")]), ([0.0, 1.0], [1.0])]
    )
    assert [row[name] for row in rows for name in NAMES] == [None] * 12


@pytest.mark.skipif(
    "LMC_DATA_DIR" not in os.environ, reason="the published curves are where LMC_DATA_DIR says"
)
def test_published_curves_have_their_published_values() -> None:
    file = Path(os.environ["LMC_DATA_DIR"]) / "curves" / "reference_curves.json"
    published = json.loads(file.read_text(encoding="utf-8"))
    rows = by_sql([(curve["alphas"], curve["losses"]) for curve in published])
    for curve, row in zip(published, rows, strict=True):
        for name, value in curve["expected"].items():
            assert PYTHON[name](curve["alphas"], curve["losses"]) == pytest.approx(value, abs=1e-6)
            assert row[name] == pytest.approx(value, abs=1e-6)
