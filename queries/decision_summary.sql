-- name: decision_summary
-- description: How many pairs are separated, connected and undecided at tau, within and between clusters.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param metric VARCHAR = 'error': error or loss
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param tau DOUBLE = NULL: tolerance, a share of examples or nats; the study's own if NULL
-- param q DOUBLE = 0.05: false discovery rate over the pairs
-- n_needed: how many examples would decide all of the undecided pairs, n_needed_half half of them;
-- NULL where that cannot be said, as of pairs with a measured gap too near tau.
WITH decided AS (
    SELECT same_cluster, decision, tau, n_examples, n_needed FROM decided_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('metric'), getvariable('modules'),
        getvariable('precision'), getvariable('clustering'), getvariable('tau'), getvariable('q')
    )
),
grouped AS (
    SELECT CASE WHEN same_cluster THEN 'within' ELSE 'between' END AS pairs, * FROM decided
    WHERE same_cluster IS NOT NULL
    UNION ALL
    SELECT 'all', * FROM decided
),
counted AS (
    SELECT
        pairs, count(*) AS n_pairs,
        count(*) FILTER (decision = 'separated') AS n_separated,
        count(*) FILTER (decision = 'connected') AS n_connected,
        count(*) FILTER (decision = 'undecided') AS n_undecided,
        count(*) FILTER (decision IS NULL) AS n_missing,
        any_value(n_examples) AS n_examples,
        quantile_disc(coalesce(n_needed, 'infinity'::DOUBLE), 0.5)
            FILTER (decision = 'undecided') AS half_of_them,
        max(coalesce(n_needed, 'infinity'::DOUBLE)) FILTER (decision = 'undecided') AS all_of_them,
        any_value(tau) AS tau
    FROM grouped
    GROUP BY pairs
)
SELECT
    pairs, n_pairs, n_separated, n_connected, n_undecided, n_missing, n_examples,
    CASE WHEN isfinite(half_of_them) THEN half_of_them::BIGINT END AS n_needed_half,
    CASE WHEN isfinite(all_of_them) THEN all_of_them::BIGINT END AS n_needed,
    tau, getvariable('q') AS q
FROM counted
ORDER BY list_position(['within', 'between', 'all'], pairs)
