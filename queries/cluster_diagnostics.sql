-- name: cluster_diagnostics
-- description: One metric per cluster on every evaluation set and subset, over the models that have it.
-- param study VARCHAR required: name of the study
-- param half VARCHAR = 'held-out': all, discovery or held-out
-- param metric VARCHAR = 'accuracy': loss, error, accuracy, matthews_correlation or f1
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH per_cluster AS (
    SELECT
        place, dataset, role, subset, cluster,
        count(*) AS n_models, avg(value) AS mean, stddev_samp(value) AS sd,
        min(value) AS min, max(value) AS max
    FROM study_values(
        getvariable('study'), getvariable('half'), getvariable('metric'), getvariable('precision'),
        getvariable('clustering')
    )
    WHERE value IS NOT NULL
    GROUP BY ALL
)
SELECT
    dataset, role, subset, getvariable('metric') AS metric, cluster, n_models, mean, sd, min, max,
    max(mean) OVER (PARTITION BY place) - min(mean) OVER (PARTITION BY place) AS spread
FROM per_cluster
ORDER BY place, cluster NULLS LAST
