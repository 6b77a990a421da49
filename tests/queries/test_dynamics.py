"""Checkpoints on the way of a training: asked for by their own queries, and by no other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lmc_track.warehouse.library import queries
from support.gap_study import GapStudy, gap_study
from support.query_values import required

TRAININGS = 4
# Models 0 to 3 are the ends; 4 to 7 are of step 100, 8 to 11 of step 300.
CHECKPOINTS = {4 + i: (i, 100) for i in range(4)} | {8 + i: (i, 300) for i in range(4)}
SPLIT = {pair: 0.0 if pair in ((0, 1), (2, 3)) else 1.0 for pair in combinations(range(4), 2)}


@pytest.fixture(scope="module")
def study() -> Iterator[GapStudy]:
    with gap_study() as opened:
        yield opened


def gaps_of(
    ends: dict[tuple[int, int], float],
    first: dict[tuple[int, int], float],
    second: dict[tuple[int, int], float],
) -> dict[tuple[int, int], float]:
    return {
        (a + 4 * stage, b + 4 * stage): gap
        for stage, gaps in enumerate((ends, first, second))
        for (a, b), gap in gaps.items()
    }


def flat(value: float) -> dict[tuple[int, int], float]:
    return dict.fromkeys(SPLIT, value)


def test_who_moves_between_clusters_and_when_is_told(study: GapStudy) -> None:
    # At step 300 model 1 is still near 2 and 3, at the end it is near 0.
    middle = {pair: 0.0 if 0 not in pair else 1.0 for pair in SPLIT}
    now = study.of_gaps(
        12, gaps_of(SPLIT, SPLIT, middle), clusterings=[[0, 0, 1, 1] + [None] * 8],
        checkpoints=CHECKPOINTS,
    )  # fmt: skip
    rows = now.query("cluster_dynamics", study="gaps", tau=0.5)
    one = rows.filter(rows["training"] == "m1")
    assert one["step"].to_list() == [100, 300, 900]
    assert one["nearest_cluster"].to_list() == [0, 1, 0]
    assert one["moved"].to_list() == [None, True, True]
    assert one["settled"].to_list() == [False, False, True]
    assert one["own_gap"].to_list() == [0, 1, 0]
    three = rows.filter(rows["training"] == "m3")
    assert three["moved"].to_list() == [None, False, False]
    assert three["settled"].to_list() == [True] * 3


def test_components_are_of_each_step_by_itself(study: GapStudy) -> None:
    chain = {pair: 0.0 if pair[1] - pair[0] == 1 else 1.0 for pair in SPLIT}
    now = study.of_gaps(
        12, gaps_of(SPLIT, flat(0.1), chain), clusterings=[[0, 0, 1, 1]], checkpoints=CHECKPOINTS
    )
    rows = now.query("step_summary", study="gaps", tau=0.5)
    assert rows["step"].to_list() == [100, 300, 900]
    assert rows["is_end"].to_list() == [False, False, True]
    assert rows["n_components"].to_list() == [1, 1, 2]
    assert rows["n_complete_clusters"].to_list() == [1, 2, 2]
    assert rows["mean_gap_between"].to_list() == [0.1, 0.75, 1.0]
    assert rows["n_pairs"].to_list() == [6, 6, 6]


def test_a_missing_pair_is_counted_and_joins_nothing(study: GapStudy) -> None:
    first = {pair: 0.0 for pair in SPLIT if 0 not in pair}
    now = study.of_gaps(12, gaps_of(SPLIT, first, SPLIT), checkpoints=CHECKPOINTS)
    rows = now.query("step_summary", study="gaps", tau=0.5)
    assert rows["n_missing"].to_list() == [3, 0, 0]
    assert rows["n_components"].to_list() == [2, 2, 2]


def test_a_study_without_checkpoints_has_its_ends(study: GapStudy) -> None:
    now = study.of_gaps(4, SPLIT, clusterings=[[0, 0, 1, 1]])
    rows = now.query("cluster_dynamics", study="gaps", tau=0.5)
    assert rows["training"].to_list() == ["m0", "m1", "m2", "m3"]
    assert rows["nearest_cluster"].to_list() == [0, 0, 1, 1]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.floats(0, 1), min_size=18, max_size=18), st.floats(0, 1))
def test_the_ends_are_divided_as_threshold_components_divides_them(
    study: GapStudy, values: list[float], tau: float
) -> None:
    pairs = list(SPLIT)
    gaps = gaps_of(*(dict(zip(pairs, values[k : k + 6], strict=True)) for k in (0, 6, 12)))
    now = study.of_gaps(12, gaps, checkpoints=CHECKPOINTS)
    rows = now.query("cluster_dynamics", study="gaps", tau=tau)
    ends = rows.filter(rows["is_end"]).sort("model")
    theirs = now.query("threshold_components", study="gaps", tau=tau, metric="loss").sort("model")
    for name in ("component", "complete_cluster"):
        assert ends[name].to_list() == theirs[name].to_list()


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in queries()
        if n not in ("cluster_dynamics", "step_embedding", "step_summary", "run_cost")
    ],
)
def test_no_other_query_speaks_of_checkpoints(study: GapStudy, name: str) -> None:
    parameters = {"study": "gaps", **required(name)}
    clusterings = [[0, 0, 1, 1]]
    alone = study.of_gaps(4, SPLIT, clusterings=clusterings).query(name, **parameters)
    among = study.of_gaps(
        12, gaps_of(SPLIT, flat(0.5), flat(0.25)), clusterings=clusterings, checkpoints=CHECKPOINTS
    ).query(name, **parameters)
    assert_frame_equal(among, alone, abs_tol=1e-12, rel_tol=1e-12)
