-- name: gap_decisions
-- description: Every pair of models with bounds of its gap: separated, connected or undecided at tau.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param metric VARCHAR = 'error': error or loss
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param tau DOUBLE = NULL: tolerance, a share of examples or nats; the study's own if NULL
-- param q DOUBLE = 0.05: false discovery rate over the pairs
-- Connected: shown to have a gap of at most tau. With metric = loss that is a gap of the loss, of
-- which a pair may have little while it loses more than two points of error. n_needed says how many
-- examples of the evaluation set would decide an undecided pair, were they like those at hand; NULL
-- where the measured gap is too near tau to say.
SELECT
    model_a, model_b, cluster_a, cluster_b, same_cluster, convexity_gap AS gap,
    estimate, standard_error, lower, upper, tau, reading, p_separated, p_connected, p, p_adjusted,
    decision, unit, n_units, n_examples, n_needed, path_id
FROM decided_pairs(
    getvariable('study'), getvariable('dataset'), getvariable('metric'), getvariable('modules'),
    getvariable('precision'), getvariable('clustering'), getvariable('tau'), getvariable('q')
)
ORDER BY position_a, position_b
