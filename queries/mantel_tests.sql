-- name: mantel_tests
-- description: How the gap between two models correlates with their difference on a diagnostic and with the distance of their weights: Mantel tests, the strongest first.
-- param study VARCHAR required: name of the study
-- param metric VARCHAR = 'accuracy': accuracy, the task's metric or the primary diagnostic's
SELECT
    d.distance, d.dataset, s.role, d.subset, d.metric, d.half, d.n_pairs, d.r,
    d.p_value, d.p_corrected, d.smallest_p, d.is_primary
FROM distance_tests d
JOIN study_subsets(getvariable('study')) s ON s.dataset = d.dataset AND s.subset = d.subset
WHERE d.study = getvariable('study')
    AND (d.metric = getvariable('metric') OR d.distance = 'l2_distance')
ORDER BY abs(d.r) DESC NULLS LAST, d.distance, s.place
