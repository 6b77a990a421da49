-- name: step_summary
-- description: Gaps and components at every step that trainings were kept at, the ends last.
-- param study VARCHAR required: name of the study
-- param tau DOUBLE = NULL: greatest gap of a joined pair, in units of the metric; the study's own if NULL
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'discovery': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- Within and between are the clusters that the trainings ended in. n_away counts the models that
-- are nearer to another of these than to their own.
WITH pairs AS MATERIALIZED (
    SELECT step_number, number_a AS a, number_b AS b, same_cluster, gap
    FROM step_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('precision'), getvariable('clustering')
    )
),
asked AS (
    SELECT coalesce(getvariable('tau'), (SELECT tau FROM study_tau(getvariable('study'), getvariable('metric')))) AS tau
),
of_models AS (
    SELECT
        step_number, any_value(step) AS step, any_value(is_end) AS is_end, count(*) AS n_models,
        count(DISTINCT component) AS n_components,
        count(DISTINCT complete_cluster) AS n_complete_clusters,
        count(*) FILTER (nearest_cluster <> cluster) AS n_away
    FROM step_memberships(
        'pairs', getvariable('study'), getvariable('clustering'), (SELECT tau FROM asked)
    )
    GROUP BY step_number
),
of_pairs AS (
    SELECT
        step_number, count(*) AS n_pairs, count(*) - count(gap) AS n_missing, avg(gap) AS mean_gap,
        max(gap) AS max_gap, avg(gap) FILTER (same_cluster) AS mean_gap_within,
        avg(gap) FILTER (NOT same_cluster) AS mean_gap_between
    FROM pairs
    GROUP BY step_number
)
SELECT
    m.step, m.is_end, m.n_models, coalesce(p.n_pairs, 0) AS n_pairs,
    coalesce(p.n_missing, 0) AS n_missing, p.mean_gap, p.max_gap, p.mean_gap_within,
    p.mean_gap_between, m.n_components, m.n_complete_clusters, m.n_away, a.tau
FROM of_models m
CROSS JOIN asked a
LEFT JOIN of_pairs p USING (step_number)
ORDER BY m.step_number
