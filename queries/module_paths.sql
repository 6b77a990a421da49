-- name: module_paths
-- description: Every module-wise path: what moving one part of the network costs, beside the whole path's gap.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT
    modules, model_a, model_b, cluster_a, cluster_b, same_cluster, barrier_to_models, rise,
    convexity_gap, whole_gap, l2_distance, path_id
FROM study_module_paths(
    getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
    getvariable('metric'), getvariable('precision'), getvariable('clustering')
)
ORDER BY place, position_a, position_b
