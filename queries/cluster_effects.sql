-- name: cluster_effects
-- description: How the clusters differ on held-out examples, the strongest first, with permutation tests; of two clusters, 1 against 0.
-- param study VARCHAR required: name of the study
-- param metric VARCHAR = 'accuracy': accuracy, the task's metric or the primary diagnostic's
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH chosen AS (
    SELECT
        e.*, s.role, s.place,
        CASE WHEN e.is_primary AND c.n_clusters = 2 THEN e.p_value ELSE e.p_corrected END AS p
    FROM cluster_effects e
    JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) c
        ON c.clustering_id = e.clustering_id
    JOIN study_subsets(getvariable('study')) s
        ON s.dataset = e.dataset AND s.subset = e.subset
    WHERE e.metric = getvariable('metric')
        -- Two clusters make one contrast, seen from both sides.
        AND (c.n_clusters > 2 OR e.cluster = 1)
),
of_validation AS (
    SELECT cluster, auc FROM chosen WHERE dataset = 'validation' AND subset = 'all'
),
primaries AS (
    SELECT cluster, sign(difference) AS direction FROM chosen WHERE is_primary
)
SELECT
    e.dataset, e.role, e.subset, e.metric, e.half, e.cluster,
    e.n_in, e.n_out, e.mean_in, e.mean_out, e.difference, e.auc, v.auc AS validation_auc, e.r,
    e.adjusted_difference, e.adjusted_auc, e.adjusted_r,
    e.p_value, e.p_corrected, e.adjusted_p_value, e.adjusted_p_corrected, e.smallest_p,
    e.is_primary, sign(e.difference) * d.direction < 0 AS reversed,
    effect_verdict(e.n_in, e.n_out, e.smallest_p, e.p) AS verdict
FROM chosen e
LEFT JOIN of_validation v ON v.cluster = e.cluster
LEFT JOIN primaries d ON d.cluster = e.cluster
ORDER BY abs(e.r) DESC NULLS LAST, abs(e.difference) DESC NULLS LAST, e.place, e.cluster
