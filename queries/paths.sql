-- name: paths
-- description: Every path on record, of any modules and precision, with its points, distances and wall time.
-- param study VARCHAR required: name of the study
-- param modules VARCHAR = NULL: only paths on which these modules move
-- param precision VARCHAR = NULL: only paths of this precision
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH counted AS (
    SELECT
        t.path_id, count(*) FILTER (list_contains(s.alphas, t.alpha)) AS n_common,
        count(*) FILTER (NOT list_contains(s.alphas, t.alpha)) AS n_refined
    FROM points t JOIN studies s USING (study)
    WHERE s.study = getvariable('study')
    GROUP BY t.path_id
)
SELECT
    p.model_a, p.model_b, a.cluster AS cluster_a, b.cluster AS cluster_b,
    a.cluster = b.cluster AS same_cluster, p.modules, p.precision,
    coalesce(c.n_common, 0) AS n_common, coalesce(c.n_refined, 0) AS n_refined,
    -- Where only some modules move, the point at alpha 1 is not a model.
    len(s.alphas) - CASE WHEN p.modules = 'all' THEN 2 ELSE 1 END - coalesce(c.n_common, 0)
        AS n_missing,
    p.l2_distance, p.cosine, p.seconds, p.created, p.path_id
FROM paths p
JOIN studies s ON s.study = p.study
JOIN study_models(getvariable('study'), getvariable('clustering')) a ON a.model_id = p.model_a_id
JOIN study_models(getvariable('study'), getvariable('clustering')) b ON b.model_id = p.model_b_id
LEFT JOIN counted c ON c.path_id = p.path_id
WHERE p.study = getvariable('study')
    AND p.modules = coalesce(getvariable('modules'), p.modules)
    AND p.precision = coalesce(getvariable('precision'), p.precision)
ORDER BY p.modules <> 'all', p.modules, p.precision, a.position, b.position
