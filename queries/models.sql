-- name: models
-- description: The models of a study that count, with their cluster and their measures on validation.
-- param study VARCHAR required: name of the study
-- param half VARCHAR = 'all': all, discovery or held-out
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH measured AS (
    SELECT
        e.run_id AS model_id,
        any_value(e.value) FILTER (e.metric = 'loss') AS validation_loss,
        any_value(e.value) FILTER (e.metric = 'accuracy') AS validation_accuracy,
        any_value(e.value) FILTER (e.metric = s.metric) AS validation_metric
    FROM evaluations e
    JOIN studies s
        ON s.study = getvariable('study')
        AND e.precision = coalesce(getvariable('precision'), s.precision)
    WHERE e.dataset = 'validation' AND e.subset = 'all' AND e.half = getvariable('half')
    GROUP BY ALL
)
SELECT
    k.name, k.position, k.cluster, m.head_seed, m.data_seed,
    v.validation_loss, v.validation_accuracy, v.validation_metric,
    m.failed, m.seconds, m.weights_digest, m.model_id
FROM study_models(getvariable('study'), getvariable('clustering')) k
JOIN models m USING (model_id)
LEFT JOIN measured v USING (model_id)
ORDER BY k.position
