-- name: axis_effects
-- description: How a model's place between the spectral centroids correlates with what it scores on held-out examples, the strongest first, with permutation tests.
-- param study VARCHAR required: name of the study
-- param metric VARCHAR = 'accuracy': accuracy, the task's metric or the primary diagnostic's
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT
    e.dataset, s.role, e.subset, e.metric, e.half, e.axis, e.cluster, e.n_models,
    e.pearson, e.spearman, e.adjusted_pearson, e.p_value, e.p_corrected,
    e.spearman_p_value, e.spearman_p_corrected, e.adjusted_p_value, e.adjusted_p_corrected,
    e.smallest_p, e.is_primary
FROM axis_effects e
JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) c
    ON c.clustering_id = e.clustering_id
JOIN study_subsets(getvariable('study')) s ON s.dataset = e.dataset AND s.subset = e.subset
WHERE e.metric = getvariable('metric')
ORDER BY abs(e.pearson) DESC NULLS LAST, s.place, e.cluster
