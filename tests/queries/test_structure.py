"""Merges, agreement, triples and correlations against their definitions in Python.

Each is held to scipy, scikit-learn or plain loops on studies that Hypothesis makes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import adjusted_rand_score, rand_score

from support.gap_study import GapStudy, gap_study

Gaps = dict[tuple[int, int], float]

random_studies = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def study() -> Iterator[GapStudy]:
    with gap_study() as made:
        yield made


@st.composite
def distinct_gaps(draw: st.DrawFn) -> tuple[int, Gaps]:
    """A gap for every pair of 2 to 8 models, no two equal: which merge is first is then clear."""
    n = draw(st.integers(2, 8))
    pairs = list(combinations(range(n), 2))
    order = draw(st.permutations(range(1, len(pairs) + 1)))
    return n, {pair: k / 16 for pair, k in zip(pairs, order, strict=True)}


@st.composite
def any_gaps(draw: st.DrawFn) -> tuple[int, Gaps]:
    """Equal, zero and missing gaps among 0 to 7 models."""
    n = draw(st.integers(0, 7))
    gap = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 3.0]))
    drawn = {pair: draw(gap) for pair in combinations(range(n), 2)}
    return n, {pair: value for pair, value in drawn.items() if value is not None}


def condensed(n: int, gaps: Gaps) -> list[float]:
    return [gaps[pair] for pair in combinations(range(n), 2)]


def same_division(a: list[int], b: list[int]) -> bool:
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


def components(n: int, gaps: Gaps, tau: float) -> list[int]:
    near = np.zeros((n, n), dtype=bool)
    for (a, b), gap in gaps.items():
        near[a, b] = gap <= tau
    return [int(k) for k in connected_components(near, directed=False)[1]]


@random_studies
@given(made=distinct_gaps())
def test_merges_are_scipys(study: GapStudy, made: tuple[int, Gaps]) -> None:
    n, gaps = made
    tree = study.of_gaps(n, gaps).query("merge_tree")
    single, complete = (linkage(condensed(n, gaps), kind) for kind in ("single", "complete"))
    assert tree["tau"].to_list() == single[:, 2].tolist()
    assert tree["n_models"].to_list() == single[:, 3].tolist()
    assert tree["complete_tau"].to_list() == complete[:, 2].tolist()
    assert tree["n_components"].to_list() == list(range(n - 1, 0, -1))
    assert (tree["n_a"] + tree["n_b"]).to_list() == tree["n_models"].to_list()


@random_studies
@given(made=any_gaps())
def test_the_pairs_that_merge_are_a_minimum_spanning_forest(
    study: GapStudy, made: tuple[int, Gaps]
) -> None:
    n, gaps = made
    tree = study.of_gaps(n, gaps).query("merge_tree")
    weights = np.zeros((n, n))
    for (a, b), gap in gaps.items():
        weights[a, b] = gap + 1  # an edge of weight 0 is none to scipy
    forest = minimum_spanning_tree(weights) if n else np.zeros((0, 0))
    edges = [(int(a[1:]), int(b[1:])) for a, b in tree.select("model_a", "model_b").iter_rows()]
    assert [gaps[edge] for edge in edges] == tree["tau"].to_list() == sorted(tree["tau"])
    assert len(edges) == forest.nnz if n else not edges
    assert tree["tau"].sum() + len(edges) == pytest.approx(forest.sum())


@random_studies
@given(made=any_gaps())
def test_a_merge_says_what_its_component_holds(study: GapStudy, made: tuple[int, Gaps]) -> None:
    n, gaps = made
    for row in study.of_gaps(n, gaps).query("merge_tree").iter_rows(named=True):
        # Equal gaps merge one after the other: up to this merge's own pairs are joined.
        members = [
            i
            for i in range(n)
            if components(n, gaps, row["tau"])[i]
            == components(n, gaps, row["tau"])[int(row["model_a"][1:])]
        ]
        assert row["n_models"] <= len(members)
        if row["n_models"] == len(members):
            inside = [gaps.get(pair) for pair in combinations(members, 2)]
            assert row["largest_internal_gap"] == max(g for g in inside if g is not None)
            assert row["n_missing_pairs"] == inside.count(None)
            assert row["first_a"] == f"m{members[0]}"


@random_studies
@given(made=any_gaps(), tau=st.sampled_from([-1.0, 0.0, 0.25, 0.6, 3.0]))
def test_components_are_those_of_the_graph_of_near_pairs(
    study: GapStudy, made: tuple[int, Gaps], tau: float
) -> None:
    n, gaps = made
    table = (
        study.of_gaps(n, gaps)
        .query("threshold_components", tau=tau, metric="loss")
        .sort("position")
    )
    assert same_division(table["component"].to_list(), components(n, gaps, tau) if n else [])
    sizes = table.unique("component").sort("component")["n_models"].to_list()
    assert sizes == sorted(sizes, reverse=True)


@random_studies
@given(made=distinct_gaps(), rank=st.integers(0, 29))
def test_complete_linkage_is_scipys_cut_at_tau(
    study: GapStudy, made: tuple[int, Gaps], rank: int
) -> None:
    n, gaps = made
    tau = rank / 16
    table = (
        study.of_gaps(n, gaps)
        .query("threshold_components", tau=tau, metric="loss")
        .sort("position")
    )
    tree = linkage(condensed(n, gaps), "complete")
    cut = fcluster(tree, tau, criterion="distance").tolist()
    assert same_division(table["complete_cluster"].to_list(), cut)


@random_studies
@given(made=any_gaps(), tau=st.sampled_from([0.0, 0.25, 0.6, 3.0]))
def test_within_complete_linkage_every_pair_is_near(
    study: GapStudy, made: tuple[int, Gaps], tau: float
) -> None:
    n, gaps = made
    table = (
        study.of_gaps(n, gaps)
        .query("threshold_components", tau=tau, metric="loss")
        .sort("position")
    )
    cluster = table["complete_cluster"].to_list()
    for a, b in combinations(range(n), 2):
        if cluster[a] == cluster[b]:
            assert gaps.get((a, b), math.inf) <= tau
            assert table["complete_largest_gap"][a] >= gaps[a, b]


@random_studies
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 3) | st.none(), st.integers(0, 3) | st.none()), max_size=9
    )
)
def test_agreement_is_scikit_learns(
    study: GapStudy, pairs: list[tuple[int | None, int | None]]
) -> None:
    older, newer = [a for a, _ in pairs], [b for _, b in pairs]
    row = study.of_gaps(len(pairs), {}, clusterings=[older, newer]).query("cluster_agreement")
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    assert row["n_models"].to_list() == [len(both)]
    if len(both) < 2:
        assert row["rand"].item() is row["adjusted_rand"].item() is None
        return
    a, b = zip(*both, strict=True)
    assert row["rand"].item() == pytest.approx(rand_score(a, b))
    assert row["adjusted_rand"].item() == pytest.approx(adjusted_rand_score(a, b))
    counts = row.select("together", "only_in_a", "only_in_b", "apart").row(0)
    assert sum(counts) == math.comb(len(both), 2)


@random_studies
@given(made=any_gaps(), delta=st.sampled_from([None, 0.5, 2.0]))
def test_triples_and_the_clustering_coefficient_are_those_of_plain_loops(
    study: GapStudy, made: tuple[int, Gaps], delta: float | None
) -> None:
    n, gaps = made
    table = study.of_gaps(n, gaps).query("transitivity", delta=delta)
    assert table.height == (n + 1 if n else 0)
    whole = {**gaps, **{(b, a): gap for (a, b), gap in gaps.items()}}
    positive = [gap for gap in gaps.values() if gap > 0]
    scale = delta if delta is not None else float(np.median(positive)) if positive else 1.0
    w = {pair: math.exp(-(gap**2) / (2 * scale**2)) for pair, gap in whole.items()}
    triples = [t for t in combinations(range(n), 3) if all(p in gaps for p in combinations(t, 2))]
    # Gap by way of the model in the middle: (middle, excess) of each violation.
    violations = [
        (b, whole[a, c] - whole[a, b] - whole[b, c])
        for t in triples
        for a, b, c in [(t[1], t[0], t[2]), t, (t[0], t[2], t[1])]
        if whole[a, c] - whole[a, b] - whole[b, c] > 1e-12
    ]
    coefficients = []
    for i in range(n):
        mine = [t for t in triples if i in t]
        links = [tuple(x for x in t if x != i) for t in mine]
        opened = sum(w[i, j] * w[i, k] for j, k in links)
        closed = sum(w[i, j] * w[i, k] * w[j, k] for j, k in links)
        row = table.filter(pl.col("model") == f"m{i}").row(0, named=True)
        assert row["n_triples"] == len(mine)
        assert row["n_in_the_middle"] == sum(middle == i for middle, _ in violations)
        if mine:
            assert row["clustering_coefficient"] == pytest.approx(closed / opened)
            coefficients.append(closed / opened)
    if n:
        row = table.row(0, named=True)
        assert (row["n_triples"], row["n_violations"]) == (len(triples), len(violations))
        assert row["max_excess"] == pytest.approx(max((e for _, e in violations), default=None))
        mean = float(np.mean(coefficients)) if coefficients else None
        assert row["clustering_coefficient"] == pytest.approx(mean)


@random_studies
@given(made=any_gaps(), data=st.data())
def test_correlations_are_scipys(
    study: GapStudy, made: tuple[int, Gaps], data: st.DataObject
) -> None:
    n, gaps = made
    distances = {pair: data.draw(st.sampled_from([1.0, 1.5, 2.0, 4.0])) for pair in gaps}
    cluster = [i % 2 for i in range(n)]
    table = study.of_gaps(n, gaps, clusterings=[cluster], distances=distances).query(
        "distance_correlations"
    )
    for kind in ("within", "between", "all"):
        chosen = [
            (distances[a, b], gap)
            for (a, b), gap in gaps.items()
            if kind == "all" or (kind == "within") == (cluster[a] == cluster[b])
        ]
        row = table.filter(pairs=kind, distance="l2_distance")
        assert row["n_pairs"].sum() == len(chosen)
        if any(len(set(column)) < 2 for column in zip(*chosen, strict=True)):
            assert row["pearson"].item() is row["spearman"].item() is None
        elif chosen:
            x, y = zip(*chosen, strict=True)
            assert row["pearson"].item() == pytest.approx(pearsonr(x, y)[0])
            assert row["spearman"].item() == pytest.approx(spearmanr(x, y)[0])


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, e, c = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(2, 3))
    value = st.sampled_from([-800.0, -3.0, -1.0, 0.0, 0.5, 2.0, 800.0])
    flat = draw(st.lists(value, min_size=n * e * c, max_size=n * e * c))
    labels = draw(st.lists(st.integers(0, c - 1), min_size=e, max_size=e))
    return np.array(flat, dtype=np.float32).reshape(n, e, c), np.array(labels)


@random_studies
@given(made=answers(), half=st.sampled_from(["all", "discovery"]))
def test_similarity_is_that_of_the_label_distributions(
    study: GapStudy, made: tuple[np.ndarray, np.ndarray], half: str
) -> None:
    from scipy.special import entr, softmax

    logits, labels = made
    table = study.of_logits(logits, labels).query("similarity", half=half)
    kept = logits if half == "all" else logits[:, ::2]
    shares = softmax(kept.astype(np.float64), axis=-1)
    said = kept.argmax(-1)
    pairs = list(combinations(range(len(logits)), 2))
    assert table.height == len(pairs)
    for (a, b), row in zip(pairs, table.iter_rows(named=True), strict=True):
        mean = entr((shares[a] + shares[b]) / 2).sum(-1)
        js = mean - (entr(shares[a]).sum(-1) + entr(shares[b]).sum(-1)) / 2
        assert row["n_examples"] == kept.shape[1]
        assert row["agreement"] == pytest.approx((said[a] == said[b]).mean())
        assert row["js_divergence"] == pytest.approx(js.mean(), abs=1e-12)
        assert 0 <= row["js_divergence"] <= math.log(2) + 1e-12


@random_studies
@given(made=answers())
def test_disagreement_counts_who_is_right(
    study: GapStudy, made: tuple[np.ndarray, np.ndarray]
) -> None:
    logits, labels = made
    n = len(logits)
    cluster = np.arange(n) % 2
    now = study.of_logits(logits, labels, [int(k) for k in cluster])
    table = now.query("disagreement", half="all", limit=None)
    assert sorted(table["example_id"]) == list(range(len(labels)))
    spread = table["spread"].to_list()
    assert spread == sorted(spread, reverse=True)
    said = logits.argmax(-1)
    for row in table.iter_rows(named=True):
        k = row["example_id"]
        right = said[:, k] == labels[k]
        assert row["right_overall"] == pytest.approx(right.mean())
        shares = [right[cluster == c].mean() for c in sorted(set(cluster))]
        assert row["right_in_clusters"] == pytest.approx(shares)
        assert row["spread"] == pytest.approx(max(shares) - min(shares))
        assert row["n_predicted"] == [int((said[:, k] == c).sum()) for c in range(logits.shape[-1])]


def test_a_model_whose_logits_are_no_numbers_is_like_no_other(study: GapStudy) -> None:
    logits = np.zeros((3, 2, 2), dtype=np.float32)
    logits[1, 0, 0] = math.nan
    table = study.of_logits(logits, np.array([0, 1])).query("similarity")
    assert table["js_divergence"].to_list() == [None, 0, None]
