-- name: plane_routes
-- description: The best route between two models over the points of a plane, beside the straight line.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set, all of it
-- param plane VARCHAR = NULL: only this plane, by its id
-- param precision VARCHAR = NULL: only planes of this precision
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- A barrier here is how far the greatest loss is above that of the higher end. The straight line is
-- the pair's own path, if it is on record, with all of its points.
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
own_losses AS (
    SELECT run_id, precision, value FROM evaluations
    WHERE dataset = getvariable('dataset') AND subset = 'all' AND half = 'all' AND metric = 'loss'
),
straight AS (
    SELECT h.model_a_id, h.model_b_id, h.precision, max(c.value) AS loss
    FROM paths h JOIN curves c USING (path_id)
    WHERE h.study = getvariable('study') AND h.modules = 'all' AND c.subset = 'all'
        AND (h.model_a_id, h.model_b_id) IN (SELECT model_a_id, model_b_id FROM plane_routes)
        AND c.dataset = getvariable('dataset') AND c.half = 'all' AND c.metric = 'loss'
    GROUP BY ALL
    HAVING count(*) > 2
)
SELECT
    a.name AS model_a, b.name AS model_b, ka.cluster AS cluster_a, kb.cluster AS cluster_b,
    ka.cluster = kb.cluster AS same_cluster, la.value AS loss_a, lb.value AS loss_b,
    r.route_loss, r.route_barrier, s.loss AS straight_loss,
    CASE WHEN s.loss IS NOT NULL THEN greatest(s.loss - greatest(la.value, lb.value), 0) END
        AS straight_barrier,
    r.route_length,
    sqrt((r.route_x[-1] - r.route_x[1]) ^ 2 + (r.route_y[-1] - r.route_y[1]) ^ 2) AS l2_distance,
    r.route_x, r.route_y, p.plane_id
FROM plane_routes r
JOIN planes p ON p.plane_id = r.plane_id
JOIN models ma ON ma.model_id = p.model_a_id
JOIN models mb ON mb.model_id = p.model_b_id
JOIN models mc ON mc.model_id = p.model_c_id
JOIN models a ON a.model_id = r.model_a_id
JOIN models b ON b.model_id = r.model_b_id
LEFT JOIN members ka ON ka.model_id = r.model_a_id
LEFT JOIN members kb ON kb.model_id = r.model_b_id
LEFT JOIN own_losses la ON la.run_id = r.model_a_id AND la.precision = p.precision
LEFT JOIN own_losses lb ON lb.run_id = r.model_b_id AND lb.precision = p.precision
LEFT JOIN straight s
    ON s.model_a_id = r.model_a_id AND s.model_b_id = r.model_b_id AND s.precision = p.precision
WHERE p.study = getvariable('study') AND r.dataset = getvariable('dataset')
    AND p.plane_id = coalesce(getvariable('plane'), p.plane_id)
    AND p.precision = coalesce(getvariable('precision'), p.precision)
ORDER BY
    ma.position, mb.position, mc.position, p.precision, p.n_grid, p.margin, p.plane_id,
    a.position, b.position
