-- name: distances
-- description: How far apart the weights of every pair of models are, beside its gap.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- l2_distance is of the weights; cosine is of what finetuning changed, theta_a - theta_0 and
-- theta_b - theta_0. Both are NULL where there is no path.
SELECT
    model_a, model_b, cluster_a, cluster_b, same_cluster, l2_distance, cosine,
    chosen_measure(
        getvariable('measure'), convexity_gap, barrier_height, interpolation_instability,
        curve_area, relative_gap, distance_area
    ) AS gap
FROM study_pairs(
    getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
    getvariable('metric'), getvariable('modules'), getvariable('precision'),
    getvariable('clustering')
)
ORDER BY position_a, position_b
