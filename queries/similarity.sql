-- name: similarity
-- description: How alike every pair of models answers on an evaluation set, beside its gap.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param gap_dataset VARCHAR = 'validation': evaluation set of the gap, taken whole, on the same half
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- agreement is the share of examples that both give the same label; js_divergence is the mean
-- Jensen-Shannon divergence of their label distributions, in nats: 0 to ln 2.
SELECT
    p.model_a, p.model_b, p.cluster_a, p.cluster_b, p.same_cluster,
    s.n_examples, s.agreement, s.js_divergence,
    chosen_measure(
        getvariable('measure'), p.convexity_gap, p.barrier_height, p.interpolation_instability,
        p.curve_area, p.relative_gap,
            p.distance_area
    ) AS gap
FROM study_pairs(
    getvariable('study'), getvariable('gap_dataset'), 'all', getvariable('half'),
    getvariable('metric'), getvariable('modules'), getvariable('precision'),
    getvariable('clustering')
) p
LEFT JOIN study_similarity(
    getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
    getvariable('precision')
) s USING (position_a, position_b)
ORDER BY p.position_a, p.position_b
