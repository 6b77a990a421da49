-- name: transitivity
-- description: How often a gap exceeds the sum of the two by way of a third model, and how models cluster in the graph of affinities.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param delta DOUBLE = NULL: scale of the affinity, in units of the measure; the median non-zero gap if NULL
-- A triple is three distinct models whose three gaps are known; it is violated where its largest
-- gap exceeds the sum of the others, which one gap of three at most can do. A model is in the
-- middle of a violation when the other two are near it and far from each other.
-- The affinity of a pair is w = exp(-gap^2 / (2 delta^2)). clustering_coefficient of model i is
-- that of Zhang and Horvath (2005), sum of w_ij w_jk w_ki / sum of w_ij w_ki over its triples:
-- 1 where those that it is near are near each other. The study's own row has the models' mean.
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
pairs AS (
    SELECT position_a AS a, position_b AS b, chosen_measure(
        getvariable('measure'), convexity_gap, barrier_height, interpolation_instability,
        curve_area, relative_gap, distance_area
    ) AS gap
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'),
        getvariable('clustering')
    )
),
scale AS (
    SELECT coalesce(getvariable('delta'), median(gap) FILTER (gap > 0)) AS delta FROM pairs
),
edges AS MATERIALIZED (
    SELECT
        a, b, gap,
        CASE WHEN gap = 0 THEN 1 WHEN delta > 0 THEN exp(-(gap ** 2) / (2 * delta ** 2)) END AS w
    FROM pairs CROSS JOIN scale
    WHERE gap IS NOT NULL
),
triples AS MATERIALIZED (
    SELECT
        ab.a AS a, ab.b AS b, bc.b AS c, ab.w AS ab, bc.w AS bc, ac.w AS ac,
        greatest(ab.gap, bc.gap, ac.gap) AS largest,
        2 * largest - (ab.gap + bc.gap + ac.gap) AS excess,
        -- The excess in hundredths of the way by the third model, as Juneja et al. 2023 count it.
        100 * excess / (ab.gap + bc.gap + ac.gap - largest + 1e-10) AS percent,
        -- Below this it is rounding, as it is for heights.
        excess > 1e-12 AS violated,
        CASE largest WHEN ac.gap THEN ab.b WHEN ab.gap THEN bc.b ELSE ab.a END AS middle
    FROM edges ab
    JOIN edges bc ON bc.a = ab.b
    JOIN edges ac ON ac.a = ab.a AND ac.b = bc.b
),
corners AS (
    SELECT a AS position, ab * ac AS open, ab * ac * bc AS closed, violated, excess, percent, middle
    FROM triples
    UNION ALL
    SELECT b, ab * bc, ab * bc * ac, violated, excess, percent, middle FROM triples
    UNION ALL
    SELECT c, ac * bc, ac * bc * ab, violated, excess, percent, middle FROM triples
),
of_models AS (
    SELECT
        position, count(*) AS n_triples, count(*) FILTER (violated) AS n_violations,
        count(*) FILTER (violated AND middle = position) AS n_in_the_middle,
        avg(excess) FILTER (violated) AS mean_excess, max(excess) FILTER (violated) AS max_excess,
        avg(percent) FILTER (violated) AS mean_percent,
        CASE WHEN sum(open) > 0 THEN sum(closed) / sum(open) END AS clustering_coefficient
    FROM corners
    GROUP BY position
),
of_study AS (
    SELECT
        count(*) AS n_triples, count(*) FILTER (violated) AS n_violations,
        avg(excess) FILTER (violated) AS mean_excess, max(excess) FILTER (violated) AS max_excess,
        avg(percent) FILTER (violated) AS mean_percent
    FROM triples
),
listed AS (
    SELECT
        'study' AS scope, NULL AS model, NULL AS position, NULL AS cluster, n_triples,
        n_violations, n_violations AS n_in_the_middle, mean_excess, max_excess,
        mean_percent, (SELECT avg(clustering_coefficient) FROM of_models) AS clustering_coefficient
    FROM of_study
    WHERE EXISTS (SELECT 1 FROM members)
    UNION ALL
    SELECT
        'model', m.name, m.position, m.cluster, coalesce(n_triples, 0),
        coalesce(n_violations, 0), coalesce(n_in_the_middle, 0), mean_excess, max_excess,
        mean_percent, clustering_coefficient
    FROM members m LEFT JOIN of_models USING (position)
)
SELECT
    scope, model, cluster, n_triples, n_violations, n_in_the_middle,
    CASE WHEN n_triples > 0 THEN n_violations / n_triples END AS share,
    mean_excess, max_excess, mean_percent, clustering_coefficient, delta
FROM listed CROSS JOIN scale
ORDER BY position NULLS FIRST
