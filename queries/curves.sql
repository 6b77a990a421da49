-- name: curves
-- description: Values along every path, endpoints and refined points included.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {metrics}
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param model_a VARCHAR = NULL: only paths that have this model
-- param model_b VARCHAR = NULL: only paths that have this model too
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
asked AS (
    SELECT coalesce(getvariable('precision'), precision) AS precision
    FROM studies WHERE study = getvariable('study')
)
SELECT
    p.model_a, p.model_b, a.cluster AS cluster_a, b.cluster AS cluster_b,
    a.cluster = b.cluster AS same_cluster, p.path_id, c.alpha, c.value
FROM paths p
JOIN asked ON asked.precision = p.precision
JOIN members a ON a.model_id = p.model_a_id
JOIN members b ON b.model_id = p.model_b_id
JOIN curves c ON c.path_id = p.path_id
WHERE p.study = getvariable('study') AND p.modules = getvariable('modules')
    AND c.dataset = getvariable('dataset') AND c.subset = getvariable('subset')
    AND c.half = getvariable('half') AND c.metric = getvariable('metric')
    AND (getvariable('model_a') IS NULL OR getvariable('model_a') IN (p.model_a, p.model_b))
    AND (getvariable('model_b') IS NULL OR getvariable('model_b') IN (p.model_a, p.model_b))
ORDER BY a.position, b.position, c.alpha
