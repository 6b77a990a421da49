-- name: study_summary
-- description: What a study is and how far it has come, in one row.
-- param study VARCHAR required: name of the study
WITH the_study AS (SELECT * FROM studies WHERE study = getvariable('study')),
the_models AS (SELECT count(*) AS n FROM study_models(getvariable('study'), NULL)),
the_paths AS (
    SELECT p.path_id
    FROM paths p JOIN the_study s ON s.study = p.study AND s.precision = p.precision
    SEMI JOIN study_models(getvariable('study'), NULL) a ON a.model_id = p.model_a_id
    SEMI JOIN study_models(getvariable('study'), NULL) b ON b.model_id = p.model_b_id
    WHERE p.modules = 'all'
),
complete AS (
    SELECT path_id FROM barriers
    WHERE study = getvariable('study') AND dataset = 'validation' AND subset = 'all'
        AND half = 'all' AND metric = 'loss' AND convexity_gap IS NOT NULL
)
SELECT
    s.study, s.description, s.task, s.metric, s.base, s.precision,
    m.n AS n_models,
    (SELECT count(*) FROM datasets WHERE study = s.study) AS n_datasets,
    m.n * (m.n - 1) // 2 AS n_pairs_possible,
    (SELECT count(*) FROM the_paths) AS n_paths,
    (SELECT count(*) FROM the_paths SEMI JOIN complete USING (path_id)) AS n_paths_complete,
    (SELECT count(*) FROM points SEMI JOIN the_paths USING (path_id)) AS n_points,
    len(s.alphas)::BIGINT AS grid_points,
    s.alphas,
    s.primary_diagnostic,
    c.clustering_id, c.method, c.n_clusters,
    s.created
FROM the_study s
CROSS JOIN the_models m
LEFT JOIN chosen_clustering(getvariable('study'), NULL) c ON true
