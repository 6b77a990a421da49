"""What callers rely on: the columns of every query, its parameters, and which values it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.handmade_study import handmade_snapshot
from support.query_values import required
from support.simulated_study import merge

COLUMNS = {
    "study_summary": "study description task metric base precision n_models n_datasets "
    "n_pairs_possible n_paths n_paths_complete n_points grid_points alphas primary_diagnostic "
    "clustering_id method n_clusters created",
    "models": "name position cluster head_seed data_seed validation_loss validation_accuracy "
    "validation_metric failed seconds weights_digest model_id",
    "left_out": "kind name reason why validation_accuracy checkpoint_of model_id",
    "datasets": "dataset role n_examples n_discovery n_held_out n_groups subsets data_digest "
    "source projection drawn n_source",
    "diagnostics": "model position cluster dataset role subset metric half value n_examples "
    "model_id",
    "barrier_pairs": "model_a model_b position_a position_b cluster_a cluster_b same_cluster "
    "convexity_gap barrier_height interpolation_instability curve_area relative_gap "
    "distance_area support n_points l2_distance cosine path_id",
    "barrier_matrix": "model cluster seed-0 seed-2 seed-4 seed-1 seed-3 seed-5",
    "curves": "model_a model_b cluster_a cluster_b same_cluster path_id alpha value",
    "gap_summary": "pairs n_pairs mean standard_error median min max mean_relative n_missing "
    "n_models degrees_of_freedom",
    "pair_measures": "dataset half metric model_a model_b convexity_gap barrier_height "
    "interpolation_instability curve_area relative_gap distance_area path_id",
    "cluster_table": "cluster n_models models n_pairs_within mean_gap_within max_gap_within "
    "mean_gap_to_others mean_validation_loss mean_validation_accuracy",
    "cluster_diagnostics": "dataset role subset metric half cluster n_models mean sd sd_n min max "
    "spread n_out mean_out difference auc r adjusted_difference adjusted_auc adjusted_r p_value "
    "p_corrected adjusted_p_value adjusted_p_corrected smallest_p is_primary reversed verdict",
    "cluster_effects": "dataset role subset metric half cluster n_in n_out mean_in mean_out "
    "difference auc validation_auc r adjusted_difference adjusted_auc adjusted_r p_value "
    "p_corrected adjusted_p_value adjusted_p_corrected smallest_p is_primary reversed verdict",
    "axis_effects": "dataset role subset metric half axis cluster n_models pearson spearman "
    "adjusted_pearson p_value p_corrected spearman_p_value spearman_p_corrected "
    "adjusted_p_value adjusted_p_corrected smallest_p is_primary",
    "mantel_tests": "distance dataset role subset metric half n_pairs r p_value p_corrected "
    "smallest_p is_primary",
    "clusterings": "clustering_id method dataset metric half n_models n_clusters is_default "
    "settings statistics created",
    "threshold_components": "model position component n_models largest_internal_gap "
    "complete_cluster complete_n_models complete_largest_gap model_id",
    "barrier_attribution": "level subset label example_id text n_examples n_pairs mean_excess "
    "mean_departure mean_averaging mean_chord share share_of_examples share_positive",
    "ensemble_curves": "model_a model_b cluster_a cluster_b same_cluster path_id alpha "
    "weights_loss ensemble_loss",
    "module_paths": "modules model_a model_b cluster_a cluster_b same_cluster barrier_to_models "
    "rise convexity_gap whole_gap l2_distance path_id",
    "module_summary": "modules pairs n_paths mean_barrier_to_models max_barrier_to_models "
    "mean_rise mean_gap mean_whole_gap mean_l2_distance n_missing",
    "grid_error": "model_a model_b same_cluster grid_points n_refined grid_gap refined_gap missed "
    "missed_share support path_id",
    "precision_check": "dataset role n_paths n_points loss example_loss accuracy gap fp32_gap "
    "gap_share",
    "gap_decisions": "model_a model_b cluster_a cluster_b same_cluster gap estimate standard_error "
    "lower upper tau reading p_separated p_connected p p_adjusted decision unit n_units "
    "n_examples n_needed path_id",
    "decision_summary": "pairs n_pairs n_separated n_connected n_undecided n_missing n_examples "
    "n_needed_half n_needed tau q",
    "holes": "kind model_a model_b dataset n_missing",
    "cluster_choices": "k sizes score discovery_silhouette held_out_silhouette chosen",
    "cluster_bases": "metric declared n_clusters best_division apart silhouette p_value "
    "p_corrected mean_gap_within mean_gap_between ratio agreement decision",
    "stability": "model position cluster own_by_examples other_by_examples nearest_by_examples "
    "own_by_models other_by_models nearest_by_models model_id",
    "co_assignments": "model_a model_b position_a position_b cluster_a cluster_b same_cluster "
    "by_examples by_models",
    "embedding": "model position cluster coordinates centroid_distances axis model_id",
    "merge_tree": "merge tau model_a model_b first_a n_a first_b n_b n_models n_components "
    "largest_internal_gap n_missing_pairs complete_tau",
    "cluster_agreement": "method_a n_clusters_a method_b n_clusters_b n_models together only_in_a "
    "only_in_b apart rand adjusted_rand clustering_a clustering_b",
    "transitivity": "scope model cluster n_triples n_violations n_in_the_middle share mean_excess "
    "max_excess mean_percent clustering_coefficient delta",
    "distances": "model_a model_b cluster_a cluster_b same_cluster l2_distance cosine gap",
    "distance_correlations": "pairs distance n_pairs pearson spearman",
    "similarity": "model_a model_b cluster_a cluster_b same_cluster n_examples agreement "
    "js_divergence gap",
    "disagreement": "example_id label n_models right_overall right_in_clusters spread "
    "n_predicted half text",
    "paths": "model_a model_b cluster_a cluster_b same_cluster modules precision n_common "
    "n_refined n_missing l2_distance cosine seconds created path_id",
    "cluster_dynamics": "training step is_end cluster component complete_cluster nearest_cluster "
    "own_gap other_gap moved settled validation_loss diagnostic model model_id",
    "step_summary": "step is_end n_models n_pairs n_missing mean_gap max_gap mean_gap_within "
    "mean_gap_between n_components n_complete_clusters n_away tau",
    "step_embedding": "training step is_end step_cluster axis value axis_before value_before "
    "switched coordinates centroid_distances cluster model model_id",
    "performance_groups": "performance rank model position cluster value model_id",
    "group_curves": "performance_a performance_b alpha mean low high min max n_paths",
    "diagnostic_summary": "dataset role subset metric half n_models mean sd sd_n min max",
    "planes": "model_a model_b model_c cluster_a cluster_b cluster_c x_b x_c y_c distance_ab "
    "distance_ac distance_bc area loss_a loss_b loss_c precision n_grid margin datasets seconds "
    "created plane_id model_a_id model_b_id model_c_id",
    "plane": "i j x y weight_a weight_b weight_c value plane_id",
    "plane_routes": "model_a model_b cluster_a cluster_b same_cluster loss_a loss_b route_loss "
    "route_barrier straight_loss straight_barrier route_length l2_distance route_x route_y "
    "plane_id",
    "run_cost": "kind n_runs n_timed total_seconds mean_seconds median_seconds max_seconds",
}
# What a parameter of these names may default to. NULL: results are not narrowed by it.
DEFAULTS = {
    "dataset": {"'validation'", "NULL"},
    "gap_dataset": {"'validation'"},
    "subset": {"'all'", "NULL"},
    "half": {"'all'", "'discovery'", "'held-out'"},
    "metric": {"'loss'", "'accuracy'", "'error'"},
    "modules": {"'all'", "NULL"},
    "precision": {"NULL"},
    "clustering": {"NULL"},
    "measure": {"'convexity_gap'"},
    "study": {None},
}
# Every parameter that takes text, with a query that has it.
TEXTS = {p.name: n for n, q in queries().items() for p in q.parameters if p.sql_type == "VARCHAR"}
OF_GAPS = [
    n
    for n, q in queries().items()
    if ("study_pairs(" in q.sql or "step_pairs(" in q.sql) and q.parameter("metric")
]


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_those_that_are_promised(results: Results, name: str) -> None:
    assert results.query(name, **required(name)).columns == COLUMNS[name].split()


@pytest.mark.parametrize("name", list(queries()))
def test_shared_parameters_default_to_what_is_agreed(name: str) -> None:
    for p in queries()[name].parameters:
        assert p.default in DEFAULTS.get(p.name, {p.default}), p.name


@pytest.mark.parametrize("name", ["cluster_table", "cluster_diagnostics", "diagnostics"])
def test_diagnostics_default_to_the_held_out_half(name: str) -> None:
    half = queries()[name].parameter("half")
    assert half is not None
    assert half.default == "'held-out'"


@pytest.mark.parametrize("name", ["threshold_components", "merge_tree", "cluster_dynamics"])
def test_memberships_default_to_the_discovery_half(name: str) -> None:
    half = queries()[name].parameter("half")
    assert half is not None
    assert half.default == "'discovery'"


@pytest.mark.parametrize("parameter", sorted(TEXTS))
def test_no_value_is_ever_run_as_sql(results: Results, parameter: str) -> None:
    """Refused as a name that nothing has, or taken for one; never run."""
    name = TEXTS[parameter]
    try:
        results.query(name, **{**required(name), parameter: "'; SELECT error('run'); --"})
    except InputError as error:
        assert f"there is no {parameter.replace('_', ' ')}" in error.message  # noqa: PT017


@pytest.mark.parametrize("parameter", ["study", "dataset", "subset", "half", "clustering"])
def test_a_name_that_nothing_has_is_refused(results: Results, parameter: str) -> None:
    with pytest.raises(InputError, match=f"there is no {parameter} 'nothing'"):
        results.query("barrier_pairs", **{parameter: "nothing"})


@pytest.mark.parametrize("name", OF_GAPS)
def test_a_metric_that_has_no_gaps_is_refused(results: Results, name: str) -> None:
    with pytest.raises(InputError, match=r"no metric 'accuracy'\nthere are: loss, error"):
        results.query(name, metric="accuracy", **required(name))


def test_a_metric_that_has_only_curves_gives_curves(results: Results) -> None:
    assert results.query("curves", metric="matthews_correlation").height == 15 * 11


def test_a_subset_is_one_of_its_data_set(results: Results) -> None:
    assert results.query("curves", dataset="main_only", subset="plural").height == 15 * 11
    with pytest.raises(InputError, match=r"no subset 'plural'\nthere are: all"):
        results.query("curves", subset="plural")


def test_text_is_as_good_as_a_number(results: Results) -> None:
    as_text = results.query("threshold_components", tau="0.1", metric="loss")
    assert as_text.equals(results.query("threshold_components", tau=0.1, metric="loss"))


def test_the_only_study_need_not_be_named(results: Results) -> None:
    assert results.query("models").equals(results.query("models", study="simulated"))


def test_of_several_studies_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(
        path,
        merge(
            handmade_snapshot(tmp_path, [0.25, 0.5], {}, study="one"),
            handmade_snapshot(tmp_path, [0.25], {}, study="two"),
        ),
    )
    results = open_results(path)
    with pytest.raises(InputError, match="needs a study\nstudies here: one, two"):
        results.query("models")
    assert results.query("models", study="one").height == 2
    assert results.query("models", study="two").height == 1
    assert results.query("barrier_pairs", study="two").is_empty()


def test_a_study_that_is_only_planned_can_be_asked_for(built: Callable[..., Results]) -> None:
    """No models, paths or clusterings yet: no rows, or the one row that says so."""
    results = built(n_models=0, clusters=0, n_points=3)
    with_rows = {
        name
        for name in COLUMNS
        if name != "datasets" and not results.query(name, **required(name)).is_empty()
    }
    assert with_rows == {"study_summary"}
    assert results.query("study_summary")["n_models"].item() == 0
