-- name: grid_error
-- description: What the common grid misses of the gaps, on the paths that have refined points.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT
    p.model_a, p.model_b, p.same_cluster, p.n_points AS grid_points, r.n_refined,
    p.convexity_gap AS grid_gap, r.convexity_gap AS refined_gap,
    r.convexity_gap - p.convexity_gap AS missed,
    CASE WHEN r.convexity_gap > 0 THEN missed / r.convexity_gap END AS missed_share,
    r.support, p.path_id
FROM study_pairs(
    getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
    getvariable('metric'), getvariable('modules'), getvariable('precision'),
    getvariable('clustering')
) p
JOIN refined_gaps r
    ON r.path_id = p.path_id AND r.dataset = getvariable('dataset')
    AND r.subset = getvariable('subset') AND r.half = getvariable('half')
    AND r.metric = getvariable('metric')
ORDER BY missed DESC NULLS LAST, p.position_a, p.position_b
