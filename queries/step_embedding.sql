-- name: step_embedding
-- description: Every training step clustered and embedded anew by the published procedure: where each checkpoint is, where it came from, and what it scores.
-- param study VARCHAR required: name of the study
-- param diagnostic VARCHAR = NULL: dataset:subset:metric; the study's primary diagnostic if NULL
-- param half VARCHAR = 'all': all, discovery or held-out; of what is scored
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- step_cluster is of the step's own gaps of the validation loss, on all examples. Clusters are
-- numbered so that most trainings have the number that they have a step later. axis is the distance
-- to the centroid of cluster 0 less that to the centroid of cluster 1. Embeddings of two steps are
-- two spaces: an arrow says how a model moves among the others, not how far.
SELECT
    m.training, m.step, m.is_end, p.cluster AS step_cluster,
    p.centroid_distances[1] - p.centroid_distances[2] AS axis, s.value,
    lag(axis) OVER trainings AS axis_before, lag(s.value) OVER trainings AS value_before,
    p.cluster <> lag(p.cluster) OVER trainings AS switched,
    p.embedding AS coordinates, p.centroid_distances, m.cluster, m.model, m.model_id
FROM step_models(getvariable('study'), getvariable('clustering')) m
LEFT JOIN step_places p ON p.study = getvariable('study') AND p.model_id = m.model_id
LEFT JOIN study_scores(
    getvariable('study'), coalesce(getvariable('diagnostic'), 'diagnostic'), getvariable('half'),
    NULL
) s ON s.model_id = m.model_id
WINDOW trainings AS (PARTITION BY m.training ORDER BY m.step_number)
ORDER BY min(CASE WHEN m.is_end THEN m.position END) OVER (PARTITION BY m.training), m.step_number
