-- name: planes
-- description: Every plane through three models: where they are in it, how far apart, their own losses.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set of the models' own losses
-- param precision VARCHAR = NULL: only planes of this precision
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- Model_a is at (0, 0), model_b at (x_b, 0), model_c at (x_c, y_c), in distances of weights.
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
measured AS (
    SELECT plane_id, list(DISTINCT dataset ORDER BY dataset) AS datasets
    FROM plane_points GROUP BY plane_id
),
own_losses AS (
    SELECT run_id, precision, value FROM evaluations
    WHERE dataset = getvariable('dataset') AND subset = 'all' AND half = 'all' AND metric = 'loss'
)
SELECT
    p.model_a, p.model_b, p.model_c,
    a.cluster AS cluster_a, b.cluster AS cluster_b, c.cluster AS cluster_c,
    p.x_b, p.x_c, p.y_c,
    p.x_b AS distance_ab, sqrt(p.x_c ^ 2 + p.y_c ^ 2) AS distance_ac,
    sqrt((p.x_c - p.x_b) ^ 2 + p.y_c ^ 2) AS distance_bc, p.x_b * p.y_c / 2 AS area,
    la.value AS loss_a, lb.value AS loss_b, lc.value AS loss_c,
    p.precision, p.n_grid, p.margin, d.datasets, p.seconds, p.created,
    p.plane_id, p.model_a_id, p.model_b_id, p.model_c_id
FROM planes p
JOIN measured d ON d.plane_id = p.plane_id
-- Checkpoints on the way are models of planes too, without a cluster.
JOIN models ma ON ma.model_id = p.model_a_id
JOIN models mb ON mb.model_id = p.model_b_id
JOIN models mc ON mc.model_id = p.model_c_id
LEFT JOIN members a ON a.model_id = p.model_a_id
LEFT JOIN members b ON b.model_id = p.model_b_id
LEFT JOIN members c ON c.model_id = p.model_c_id
LEFT JOIN own_losses la ON la.run_id = p.model_a_id AND la.precision = p.precision
LEFT JOIN own_losses lb ON lb.run_id = p.model_b_id AND lb.precision = p.precision
LEFT JOIN own_losses lc ON lc.run_id = p.model_c_id AND lc.precision = p.precision
WHERE p.study = getvariable('study')
    AND p.precision = coalesce(getvariable('precision'), p.precision)
ORDER BY ma.position, mb.position, mc.position, p.precision, p.n_grid, p.margin, p.plane_id
