-- The clustering that a study's results are shown by: the one named by id or by method (its
-- newest), else the newest of the study's own method. One of as many models as count comes before
-- any other: what was made while some were left out is older knowledge once they count again.
CREATE MACRO chosen_clustering(study_name, clustering_name) AS TABLE
SELECT c.clustering_id, c.method, c.n_clusters
FROM clusterings c
JOIN studies s ON s.study = c.study
WHERE c.study = study_name
    AND (
        c.clustering_id = clustering_name
        OR c.method = coalesce(clustering_name, s.primary_method)
        -- Studies of earlier versions name the verdict by what it was then.
        OR (clustering_name IS NULL AND s.primary_method = 'spectral' AND c.method = 'verdict')
    )
ORDER BY
    c.n_models = (
        SELECT count(*) FROM models m
        WHERE m.study = study_name AND m.checkpoint_of IS NULL AND m.left_out IS NULL
    ) DESC,
    c.created DESC, c.clustering_id DESC
LIMIT 1;

COMMENT ON MACRO TABLE chosen_clustering IS 'The clustering of that id or method, else the default one.';

-- The models of a study with their cluster, NULL where the clustering leaves them out. Models are
-- what trainings ended with: their earlier checkpoints are asked for by step_models. Models that
-- failed are in the table models and not here, unless the study counts them.
CREATE MACRO study_models(study_name, clustering_name) AS TABLE
SELECT m.model_id, m.name, m.position, k.cluster
FROM models m
LEFT JOIN clusters k
    ON k.model_id = m.model_id
    AND k.clustering_id
        = (SELECT clustering_id FROM chosen_clustering(study_name, clustering_name))
WHERE m.study = study_name AND m.checkpoint_of IS NULL AND m.left_out IS NULL;

COMMENT ON MACRO TABLE study_models IS 'The models of a study with their cluster.';
