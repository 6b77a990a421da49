-- name: cluster_dynamics
-- description: Where every checkpoint on the way of a training belongs, and what it does on the primary diagnostic.
-- param study VARCHAR required: name of the study
-- param tau DOUBLE = NULL: greatest gap of a joined pair, in units of the metric; the study's own if NULL
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'discovery': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- cluster is the one that the training ended in. nearest_cluster is the one of those whose members
-- are nearest at this step; moved says that it is another than at the step before, settled that it
-- is the last one from here on. Small own_gap and other_gap say that nothing is divided yet.
-- Losses and the diagnostic are of held-out examples, of all where results have no halves.
WITH pairs AS MATERIALIZED (
    SELECT step_number, number_a AS a, number_b AS b, gap
    FROM step_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('precision'), getvariable('clustering')
    )
),
members AS MATERIALIZED (
    SELECT * FROM step_memberships(
        'pairs', getvariable('study'), getvariable('clustering'),
        coalesce(getvariable('tau'), (SELECT tau FROM study_tau(getvariable('study'), getvariable('metric'))))
    )
),
the_study AS (
    SELECT
        coalesce(getvariable('precision'), precision) AS precision,
        string_split(primary_diagnostic, ':') AS named
    FROM studies WHERE study = getvariable('study')
),
evaluated AS (
    SELECT
        m.model_id, e.half,
        any_value(e.value) FILTER (
            e.dataset = 'validation' AND e.subset = 'all' AND e.metric = 'loss'
        ) AS validation_loss,
        any_value(e.value) FILTER (
            e.dataset = s.named[1] AND e.subset = s.named[2] AND e.metric = s.named[3]
        ) AS diagnostic
    FROM members m
    JOIN evaluations e ON e.run_id = m.model_id
    JOIN the_study s ON s.precision = e.precision
    WHERE e.half IN ('all', 'held-out')
    GROUP BY m.model_id, e.half
),
halves AS (SELECT max(half) AS half FROM evaluated)
SELECT
    m.training, m.step, m.is_end, m.cluster, m.component, m.complete_cluster, m.nearest_cluster,
    m.own_gap, m.other_gap,
    m.nearest_cluster <> lag(m.nearest_cluster) OVER (PARTITION BY training ORDER BY step_number)
        AS moved,
    bool_and(m.nearest_cluster = m.cluster) OVER (
        PARTITION BY training ORDER BY step_number ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS settled,
    e.validation_loss, e.diagnostic, m.model, m.model_id
FROM members m
CROSS JOIN halves h
LEFT JOIN evaluated e ON e.model_id = m.model_id AND e.half = h.half
ORDER BY min(CASE WHEN m.is_end THEN m.position END) OVER (PARTITION BY training), m.step_number
