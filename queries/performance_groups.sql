-- name: performance_groups
-- description: The best, middle and worst models on a diagnostic, which group_curves joins.
-- param study VARCHAR required: name of the study
-- param diagnostic VARCHAR = NULL: dataset:subset:metric; the study's primary diagnostic if NULL
-- param n_models INTEGER = 5: models in each group; fewer where the groups would overlap
-- param half VARCHAR = 'all': all, discovery or held-out
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT performance, rank, name AS model, position, cluster, value, model_id
FROM performance_groups(
    getvariable('study'), coalesce(getvariable('diagnostic'), 'diagnostic'), getvariable('half'),
    getvariable('precision'), getvariable('clustering'), getvariable('n_models')
)
ORDER BY rank DESC
