-- name: distance_correlations
-- description: How the distances of weights and of answers correlate with the gaps, over all pairs and within and between clusters.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- Pairs of models share models, so they are not independent: no p is given. Spearman's is Pearson's
-- correlation of the ranks, equal values having their mean rank. NULL where nothing varies.
WITH pairs AS MATERIALIZED (
    SELECT
        p.same_cluster, p.l2_distance, p.cosine, s.agreement, s.js_divergence,
        chosen_measure(
            getvariable('measure'), p.convexity_gap, p.barrier_height,
            p.interpolation_instability, p.curve_area, p.relative_gap,
            p.distance_area
        ) AS gap
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'),
        getvariable('half'), getvariable('metric'), getvariable('modules'),
        getvariable('precision'), getvariable('clustering')
    ) p
    LEFT JOIN study_similarity(
        getvariable('study'), getvariable('dataset'), getvariable('subset'),
        getvariable('half'), getvariable('precision')
    ) s USING (position_a, position_b)
),
grouped AS (
    SELECT 'all' AS pairs, * FROM pairs
    UNION ALL
    SELECT CASE WHEN same_cluster THEN 'within' ELSE 'between' END, * FROM pairs
    WHERE same_cluster IS NOT NULL
),
long AS (
    SELECT pairs, distance, value, gap
    FROM grouped
    UNPIVOT (value FOR distance IN (l2_distance, cosine, agreement, js_divergence))
    WHERE gap IS NOT NULL
),
ranked AS (
    SELECT
        pairs, distance, value, gap,
        rank() OVER (PARTITION BY pairs, distance ORDER BY value)
            + (count(*) OVER (PARTITION BY pairs, distance, value) - 1) / 2 AS value_rank,
        rank() OVER (PARTITION BY pairs, distance ORDER BY gap)
            + (count(*) OVER (PARTITION BY pairs, distance, gap) - 1) / 2 AS gap_rank
    FROM long
)
-- What is left of 0 depends on the order in which threads add, so it is rounded away; + 0 takes the
-- sign from -0.
SELECT
    pairs, distance, count(*) AS n_pairs,
    CASE WHEN min(value) < max(value) AND min(gap) < max(gap)
        THEN round(corr(value, gap), 12) + 0
    END AS pearson,
    CASE WHEN min(value) < max(value) AND min(gap) < max(gap)
        THEN round(corr(value_rank, gap_rank), 12) + 0
    END AS spearman
FROM ranked
GROUP BY pairs, distance
ORDER BY
    list_position(['within', 'between', 'all'], pairs),
    list_position(['l2_distance', 'cosine', 'agreement', 'js_divergence'], distance)
