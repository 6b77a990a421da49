-- name: decision_summary
-- description: How many pairs are separated, connected and undecided at tau, within and between clusters.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param tau DOUBLE = NULL: tolerance in nats; the study's own if NULL
-- param q DOUBLE = 0.05: false discovery rate over the pairs
WITH decided AS (
    SELECT same_cluster, decision, tau FROM decided_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('modules'),
        getvariable('precision'), getvariable('clustering'), getvariable('tau'), getvariable('q')
    )
),
grouped AS (
    SELECT CASE WHEN same_cluster THEN 'within' ELSE 'between' END AS pairs, decision, tau
    FROM decided WHERE same_cluster IS NOT NULL
    UNION ALL
    SELECT 'all', decision, tau FROM decided
)
SELECT
    pairs, count(*) AS n_pairs,
    count(*) FILTER (decision = 'separated') AS n_separated,
    count(*) FILTER (decision = 'connected') AS n_connected,
    count(*) FILTER (decision = 'undecided') AS n_undecided,
    count(*) FILTER (decision IS NULL) AS n_missing,
    any_value(tau) AS tau, getvariable('q') AS q
FROM grouped
GROUP BY pairs
ORDER BY list_position(['within', 'between', 'all'], pairs)
