-- name: ensemble_curves
-- description: Loss along every path on the common grid: of averaged weights, and of averaged logits.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param half VARCHAR = 'all': all, discovery or held-out
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param model_a VARCHAR = NULL: only paths that have this model
-- param model_b VARCHAR = NULL: only paths that have this model too
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
asked AS (
    SELECT coalesce(getvariable('precision'), precision) AS precision
    FROM studies WHERE study = getvariable('study')
),
asked_paths AS (
    SELECT
        p.path_id, p.model_a, p.model_b, a.cluster AS cluster_a, b.cluster AS cluster_b,
        a.position AS position_a, b.position AS position_b
    FROM paths p
    JOIN asked ON asked.precision = p.precision
    JOIN members a ON a.model_id = p.model_a_id
    JOIN members b ON b.model_id = p.model_b_id
    WHERE p.study = getvariable('study')
        AND (getvariable('model_a') IS NULL OR getvariable('model_a') IN (p.model_a, p.model_b))
        AND (getvariable('model_b') IS NULL OR getvariable('model_b') IN (p.model_a, p.model_b))
),
weights AS (
    SELECT path_id, alpha, value FROM curves SEMI JOIN asked_paths USING (path_id)
    WHERE study = getvariable('study') AND dataset = getvariable('dataset') AND subset = 'all'
        AND half = getvariable('half') AND metric = 'loss'
),
ensembles AS (
    SELECT path_id, alpha, loss FROM ensemble_curves SEMI JOIN asked_paths USING (path_id)
    WHERE dataset = getvariable('dataset') AND half = getvariable('half')
)
SELECT
    p.model_a, p.model_b, p.cluster_a, p.cluster_b, p.cluster_a = p.cluster_b AS same_cluster,
    p.path_id, e.alpha, w.value AS weights_loss, e.loss AS ensemble_loss
FROM asked_paths p
JOIN ensembles e ON e.path_id = p.path_id
LEFT JOIN weights w ON w.path_id = e.path_id AND w.alpha = e.alpha
ORDER BY p.position_a, p.position_b, e.alpha
