-- name: stability
-- description: How often each model is with its cluster, and with the nearest other, when examples or models are resampled.
-- param study VARCHAR required: name of the study
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH members AS (
    SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))
    WHERE cluster IS NOT NULL
),
asked AS (
    SELECT model_a_id, model_b_id, by_examples, by_models
    FROM co_assignments
    JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) USING (clustering_id)
),
both_ways AS (
    SELECT model_a_id AS model_id, model_b_id AS other_id, by_examples, by_models FROM asked
    UNION ALL
    SELECT model_b_id, model_a_id, by_examples, by_models FROM asked
),
with_clusters AS (
    SELECT
        b.model_id, o.cluster AS other, any_value(m.cluster) = o.cluster AS own,
        avg(b.by_examples) AS by_examples, avg(b.by_models) AS by_models
    FROM both_ways b
    JOIN members m ON m.model_id = b.model_id
    JOIN members o ON o.model_id = b.other_id
    GROUP BY b.model_id, o.cluster
)
SELECT
    m.name AS model, m.position, m.cluster,
    any_value(w.by_examples) FILTER (w.own) AS own_by_examples,
    max(w.by_examples) FILTER (NOT w.own) AS other_by_examples,
    -- Of clusters as near as each other the first.
    arg_max(w.other, {'share': w.by_examples, 'first': -w.other})
        FILTER (NOT w.own AND w.by_examples IS NOT NULL) AS nearest_by_examples,
    any_value(w.by_models) FILTER (w.own) AS own_by_models,
    max(w.by_models) FILTER (NOT w.own) AS other_by_models,
    arg_max(w.other, {'share': w.by_models, 'first': -w.other})
        FILTER (NOT w.own AND w.by_models IS NOT NULL) AS nearest_by_models,
    m.model_id
FROM members m
JOIN with_clusters w USING (model_id)
GROUP BY m.model_id, m.name, m.position, m.cluster
ORDER BY m.cluster, m.position
