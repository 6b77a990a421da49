-- name: gap_summary
-- description: One measure over the pairs within and between clusters; n_pairs counts missing ones too.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': loss or error
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH pairs AS (
    SELECT same_cluster, relative_gap, chosen_measure(
        getvariable('measure'), convexity_gap, barrier_height, interpolation_instability,
        curve_area, relative_gap
    ) AS value
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'),
        getvariable('clustering')
    )
),
grouped AS (
    SELECT
        CASE WHEN same_cluster THEN 'within' ELSE 'between' END AS pairs, value, relative_gap
    FROM pairs WHERE same_cluster IS NOT NULL
    UNION ALL
    SELECT 'all', value, relative_gap FROM pairs
)
SELECT
    pairs, count(*) AS n_pairs, avg(value) AS mean, median(value) AS median, min(value) AS min,
    max(value) AS max, avg(relative_gap) AS mean_relative, count(*) - count(value) AS n_missing
FROM grouped
GROUP BY pairs
ORDER BY list_position(['within', 'between', 'all'], pairs)
