-- name: group_curves
-- description: Mean values along the paths within and between the best, middle and worst models on a diagnostic, on the common grid.
-- param study VARCHAR required: name of the study
-- param diagnostic VARCHAR = NULL: dataset:subset:metric; the study's primary diagnostic if NULL
-- param n_models INTEGER = 5: models in each group; fewer where the groups would overlap
-- param dataset VARCHAR = 'validation': evaluation set of the curves
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- Paths between groups run from performance_a at alpha 0 to performance_b at alpha 1. Paths within
-- a group enter in both directions, so that their mean does not depend on the order of the models,
-- and count once. low and high are the quartiles.
WITH members AS MATERIALIZED (
    SELECT * FROM performance_groups(
        getvariable('study'), coalesce(getvariable('diagnostic'), 'diagnostic'),
        getvariable('half'), getvariable('precision'), getvariable('clustering'),
        getvariable('n_models')
    )
),
kinds AS (SELECT ['best', 'middle', 'worst'] AS listed),
asked AS (
    SELECT coalesce(getvariable('precision'), precision) AS precision, alphas
    FROM studies WHERE study = getvariable('study')
),
joined AS (
    SELECT
        p.path_id, s.alphas, a.performance AS performance_a, b.performance AS performance_b,
        list_position(k.listed, a.performance) - list_position(k.listed, b.performance) AS later
    FROM paths p
    JOIN asked s ON s.precision = p.precision
    JOIN members a ON a.model_id = p.model_a_id
    JOIN members b ON b.model_id = p.model_b_id
    CROSS JOIN kinds k
    WHERE p.study = getvariable('study') AND p.modules = 'all'
),
points AS (
    SELECT j.*, c.alpha, c.value
    FROM joined j
    JOIN curves c ON c.path_id = j.path_id AND list_contains(j.alphas, c.alpha)
    WHERE c.dataset = getvariable('dataset') AND c.subset = getvariable('subset')
        AND c.half = getvariable('half') AND c.metric = getvariable('metric')
        AND c.value IS NOT NULL
),
directed AS (
    SELECT path_id, performance_a, performance_b, alpha, value FROM points WHERE later <= 0
    UNION ALL
    SELECT
        path_id, performance_b, performance_a,
        -- 1 - alpha, as the grid writes it where it has it.
        coalesce(
            list_filter(alphas, lambda known: abs(known + alpha - 1) < 1e-9)[1], 1 - alpha
        ),
        value
    FROM points WHERE later >= 0
)
SELECT
    performance_a, performance_b, alpha, avg(value) AS mean,
    quantile_cont(value, 0.25) AS low, quantile_cont(value, 0.75) AS high,
    min(value) AS min, max(value) AS max, count(DISTINCT path_id) AS n_paths
FROM directed CROSS JOIN kinds
GROUP BY performance_a, performance_b, alpha, listed
ORDER BY
    list_position(listed, performance_a), list_position(listed, performance_b), alpha
