-- name: clusterings
-- description: The recorded clusterings of a study, newest first.
-- param study VARCHAR required: name of the study
SELECT
    c.clustering_id, c.method, c.dataset, c.metric, c.half, c.n_models, c.n_clusters,
    c.clustering_id IS NOT DISTINCT FROM
        (SELECT clustering_id FROM chosen_clustering(getvariable('study'), NULL)) AS is_default,
    c.settings, c.statistics, c.created
FROM clusterings c
WHERE c.study = getvariable('study')
ORDER BY c.created DESC, c.clustering_id DESC
