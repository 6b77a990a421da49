-- The paths of a study along which only a part of the network moves, from model_a's to model_b's.
-- The far end is a network that nobody trained, so a path's own ends say little: what moving the
-- part costs is measured against the losses of the two models themselves (Adilova et al. 2024).
CREATE MACRO study_module_paths(
    study_name, dataset_name, subset_name, half_name, metric_name, precision_name, clustering_name
) AS TABLE
WITH members AS (SELECT * FROM study_models(study_name, clustering_name)),
asked AS (
    SELECT coalesce(precision_name, precision) AS precision FROM studies WHERE study = study_name
),
own_losses AS (
    SELECT e.run_id, e.value
    FROM evaluations e JOIN asked ON asked.precision = e.precision
    WHERE e.dataset = dataset_name AND e.subset = subset_name AND e.half = half_name
        AND e.metric = metric_name
),
chosen AS (
    SELECT p.* FROM paths p JOIN asked ON asked.precision = p.precision
    WHERE p.study = study_name AND p.modules <> 'all'
),
samples AS (
    SELECT
        p.path_id, c.alpha, c.value,
        c.value - ((1 - c.alpha) * a.value + c.alpha * b.value) AS above_models
    FROM chosen p
    JOIN curves c ON c.path_id = p.path_id
    JOIN own_losses a ON a.run_id = p.model_a_id
    JOIN own_losses b ON b.run_id = p.model_b_id
    WHERE c.dataset = dataset_name AND c.subset = subset_name AND c.half = half_name
        AND c.metric = metric_name
),
costs AS (
    SELECT
        path_id, greatest(max(above_models), 0) AS barrier_to_models,
        any_value(value) FILTER (alpha = 1) - any_value(value) FILTER (alpha = 0) AS rise
    FROM samples GROUP BY path_id
),
measured AS (
    SELECT path_id, convexity_gap FROM barriers
    WHERE study = study_name AND dataset = dataset_name AND subset = subset_name
        AND half = half_name AND metric = metric_name
),
wholes AS (
    SELECT p.model_a_id, p.model_b_id, m.convexity_gap
    FROM paths p JOIN asked ON asked.precision = p.precision JOIN measured m USING (path_id)
    WHERE p.study = study_name AND p.modules = 'all'
)
SELECT
    p.modules, p.model_a, p.model_b, a.position AS position_a, b.position AS position_b,
    a.cluster AS cluster_a, b.cluster AS cluster_b, a.cluster = b.cluster AS same_cluster,
    -- A path that misses a point of the common grid would seem lower than it is.
    CASE WHEN m.convexity_gap IS NOT NULL THEN c.barrier_to_models END AS barrier_to_models,
    c.rise, m.convexity_gap, w.convexity_gap AS whole_gap, p.l2_distance, p.path_id,
    -- Parts in the order in which a text passes through them, layers by their numbers.
    CASE
        WHEN p.modules LIKE 'embeddings%' THEN 0
        WHEN regexp_matches(p.modules, '\d') THEN 1 + regexp_extract(p.modules, '\d+')::INTEGER
        WHEN p.modules LIKE 'pooler%' THEN 10001
        ELSE 10002
    END AS stage,
    dense_rank() OVER (ORDER BY stage, p.modules) AS place
FROM chosen p
JOIN members a ON a.model_id = p.model_a_id
JOIN members b ON b.model_id = p.model_b_id
LEFT JOIN costs c ON c.path_id = p.path_id
LEFT JOIN measured m ON m.path_id = p.path_id
LEFT JOIN wholes w
    ON least(w.model_a_id, w.model_b_id) = least(p.model_a_id, p.model_b_id)
    AND greatest(w.model_a_id, w.model_b_id) = greatest(p.model_a_id, p.model_b_id);

COMMENT ON MACRO TABLE study_module_paths IS 'The paths along which only a part of the network moves.';
