-- name: embedding
-- description: Where each model is in the spectral embedding: coordinates, distances to the centroids, their difference.
-- param study VARCHAR required: name of the study
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT
    m.name AS model, m.position, m.cluster,
    k.embedding AS coordinates, k.centroid_distances,
    -- The axis of Juneja et al. 2023: below 0 nearer to cluster 0, above 0 nearer to cluster 1.
    CASE WHEN len(k.centroid_distances) = 2
        THEN k.centroid_distances[1] - k.centroid_distances[2]
    END AS axis,
    m.model_id
FROM study_models(getvariable('study'), getvariable('clustering')) m
LEFT JOIN clusters k
    ON k.model_id = m.model_id
    AND k.clustering_id = (
        SELECT clustering_id
        FROM chosen_clustering(getvariable('study'), getvariable('clustering'))
    )
ORDER BY m.position
