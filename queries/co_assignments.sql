-- name: co_assignments
-- description: How often the two models of each pair are in one cluster when examples or models are resampled.
-- param study VARCHAR required: name of the study
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH members AS (
    SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))
)
SELECT
    a.name AS model_a, b.name AS model_b, a.position AS position_a, b.position AS position_b,
    a.cluster AS cluster_a, b.cluster AS cluster_b, a.cluster = b.cluster AS same_cluster,
    c.by_examples, c.by_models
FROM co_assignments c
JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) USING (clustering_id)
JOIN members a ON a.model_id = c.model_a_id
JOIN members b ON b.model_id = c.model_b_id
ORDER BY a.position, b.position
