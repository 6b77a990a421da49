-- name: gap_summary
-- description: One measure over the pairs within and between clusters, with the standard error of its mean over models and its degrees of freedom; n_pairs counts missing pairs too.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH pairs AS (
    SELECT position_a, position_b, cluster_a, cluster_b, same_cluster, relative_gap, chosen_measure(
        getvariable('measure'), convexity_gap, barrier_height, interpolation_instability,
        curve_area, relative_gap, distance_area
    ) AS value
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'),
        getvariable('clustering')
    )
),
grouped AS (
    SELECT
        CASE WHEN same_cluster THEN 'within' ELSE 'between' END AS pairs,
        position_a, position_b, cluster_a, cluster_b, value, relative_gap
    FROM pairs WHERE same_cluster IS NOT NULL
    UNION ALL
    SELECT 'all', position_a, position_b, cluster_a, cluster_b, value, relative_gap FROM pairs
),
sums AS (
    SELECT pairs, sum(value) AS total, count(value) AS n FROM grouped GROUP BY pairs
),
of_models AS (
    SELECT pairs, position, cluster, sum(value) AS total, count(*) AS n
    FROM (
        SELECT pairs, position_a AS position, cluster_a AS cluster, value
        FROM grouped WHERE value IS NOT NULL
        UNION ALL
        SELECT pairs, position_b, cluster_b, value FROM grouped WHERE value IS NOT NULL
    )
    GROUP BY pairs, position, cluster
),
-- The jackknife over models, since the pairs of one model are not independent of each other
-- (Arvesen 1969, on U-statistics): the mean without each model in turn. NULL where it cannot be
-- had without one of them.
jackknife AS (
    SELECT
        pairs, count(*) AS n_models,
        CASE WHEN bool_and(s.n > m.n) THEN sqrt(
            (count(*) - 1) / count(*)
            * sum(((s.total - m.total) / nullif(s.n - m.n, 0) - s.total / s.n) ** 2)
        ) END AS standard_error
    FROM of_models m JOIN sums s USING (pairs)
    GROUP BY pairs
),
-- A mean between clusters spreads as much as its smaller cluster's models let it, however many
-- there are in the other (docs/results/intervals.md).
smallest AS (
    SELECT pairs, min(n) AS n FROM (
        SELECT pairs, count(*) AS n FROM of_models GROUP BY pairs, cluster
    )
    GROUP BY pairs
)
SELECT
    pairs, count(*) AS n_pairs, avg(value) AS mean, any_value(standard_error) AS standard_error,
    median(value) AS median, min(value) AS min, max(value) AS max,
    avg(relative_gap) AS mean_relative, count(*) - count(value) AS n_missing,
    any_value(n_models) AS n_models,
    any_value(CASE pairs WHEN 'between' THEN smallest.n ELSE n_models END) - 1
        AS degrees_of_freedom
FROM grouped
LEFT JOIN jackknife USING (pairs)
LEFT JOIN smallest USING (pairs)
GROUP BY pairs
ORDER BY list_position(['within', 'between', 'all'], pairs)
