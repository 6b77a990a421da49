-- name: module_summary
-- description: Which part of the network carries the barrier: module-wise paths averaged within and between clusters.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH paths AS (
    SELECT * FROM study_module_paths(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('precision'), getvariable('clustering')
    )
),
grouped AS (
    SELECT 'all' AS pairs, * FROM paths
    UNION ALL
    SELECT CASE WHEN same_cluster THEN 'within' ELSE 'between' END, * FROM paths
    WHERE same_cluster IS NOT NULL
)
SELECT
    modules, pairs, count(*) AS n_paths,
    avg(barrier_to_models) AS mean_barrier_to_models, max(barrier_to_models) AS max_barrier_to_models,
    avg(rise) AS mean_rise, avg(convexity_gap) AS mean_gap, avg(whole_gap) AS mean_whole_gap,
    avg(l2_distance) AS mean_l2_distance, count(*) - count(barrier_to_models) AS n_missing
FROM grouped
GROUP BY modules, place, pairs
ORDER BY list_position(['within', 'between', 'all'], pairs), place
