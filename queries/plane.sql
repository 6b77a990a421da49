-- name: plane
-- description: Values at all points of one plane through three models.
-- param study VARCHAR required: name of the study
-- param plane VARCHAR = NULL: id of the plane; the newest of those that are left if NULL
-- param model_a VARCHAR = NULL: only planes that have this model
-- param model_b VARCHAR = NULL: only planes that have this model too
-- param model_c VARCHAR = NULL: only planes that have this model too
-- param dataset VARCHAR = 'validation': evaluation set, all of it
-- param metric VARCHAR = 'loss': loss, error, accuracy, or the task's own
-- param precision VARCHAR = NULL: only planes of this precision
WITH chosen AS (
    SELECT plane_id FROM planes p
    WHERE study = getvariable('study')
        AND plane_id = coalesce(getvariable('plane'), plane_id)
        AND coalesce(getvariable('model_a'), model_a) IN (model_a, model_b, model_c)
        AND coalesce(getvariable('model_b'), model_b) IN (model_a, model_b, model_c)
        AND coalesce(getvariable('model_c'), model_c) IN (model_a, model_b, model_c)
        AND precision = coalesce(getvariable('precision'), precision)
        AND EXISTS (
            FROM plane_points t
            WHERE t.plane_id = p.plane_id AND t.dataset = getvariable('dataset')
        )
    ORDER BY created DESC, plane_id DESC LIMIT 1
)
SELECT i, j, x, y, weight_a, weight_b, weight_c, value, plane_id
FROM plane_points JOIN chosen USING (plane_id)
WHERE dataset = getvariable('dataset') AND metric = getvariable('metric')
ORDER BY j, i
