-- name: diagnostic_summary
-- description: One metric over all models on every evaluation set and subset: mean, spread, lowest and highest.
-- param study VARCHAR required: name of the study
-- param half VARCHAR = 'held-out': all, discovery or held-out; of imported values always all
-- param metric VARCHAR = 'accuracy': {metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- sd divides by n - 1, sd_n by n, as the tables of Juneja et al. 2023 do.
SELECT
    dataset, role, subset, getvariable('metric') AS metric, half, count(value) AS n_models,
    avg(value) AS mean, stddev_samp(value) AS sd, stddev_pop(value) AS sd_n,
    min(value) AS min, max(value) AS max
FROM study_values(
    getvariable('study'), getvariable('half'), getvariable('metric'), getvariable('precision'),
    NULL
)
GROUP BY place, dataset, role, subset, half
HAVING count(value) > 0
ORDER BY place
