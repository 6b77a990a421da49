-- name: precision_check
-- description: What evaluating in bf16 instead of fp32 changes, on a sample of paths.
-- param study VARCHAR required: name of the study
SELECT
    c.dataset, d.role, c.n_paths, c.n_points, c.loss, c.example_loss, c.accuracy, c.gap,
    c.fp32_gap,
    CASE WHEN c.fp32_gap > 0 THEN c.gap / c.fp32_gap END AS gap_share
FROM precision_checks c
JOIN datasets d USING (study, dataset)
WHERE c.study = getvariable('study')
ORDER BY d.role = 'validation' DESC, c.dataset
