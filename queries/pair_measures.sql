-- name: pair_measures
-- description: The measures of every pair on every evaluation set as a whole, by half and metric.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = NULL: one evaluation set; all if NULL
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
SELECT
    b.dataset, b.half, b.metric, b.model_a, b.model_b,
    b.convexity_gap, b.barrier_height, b.interpolation_instability, b.curve_area, b.relative_gap,
    b.curve_area * p.l2_distance AS distance_area, b.path_id
FROM barriers b
JOIN paths p ON p.path_id = b.path_id
JOIN studies s ON s.study = b.study
JOIN study_models(getvariable('study'), NULL) ma ON ma.name = b.model_a
JOIN study_models(getvariable('study'), NULL) mb ON mb.name = b.model_b
JOIN metrics k ON k.metric = b.metric
WHERE b.study = getvariable('study') AND b.subset = 'all' AND b.modules = getvariable('modules')
    AND b.dataset = coalesce(getvariable('dataset'), b.dataset)
    AND b.precision = coalesce(getvariable('precision'), s.precision)
ORDER BY
    b.dataset <> 'validation', b.dataset,
    list_position(['all', 'discovery', 'held-out'], b.half),
    k.place, ma.position, mb.position
