-- name: barrier_pairs
-- description: Every unordered pair of models with the measures of its path; NULL where they are missing.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT
    model_a, model_b, position_a, position_b, cluster_a, cluster_b, same_cluster,
    convexity_gap, barrier_height, interpolation_instability, curve_area, relative_gap,
    distance_area, support, n_points, l2_distance, cosine, path_id
FROM study_pairs(
    getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
    getvariable('metric'), getvariable('modules'), getvariable('precision'),
    getvariable('clustering')
)
ORDER BY position_a, position_b
