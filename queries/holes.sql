-- name: holes
-- description: What is missing: pairs without a path, paths without all points, evaluations, losses that are not finite.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = NULL: one evaluation set; all if NULL
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- kind is pair, points, evaluation or loss; n_missing counts points of a pair or path, and what is
-- missing of a single model is 1.
WITH the_study AS (
    SELECT study, alphas, coalesce(getvariable('precision'), precision) AS precision
    FROM studies WHERE study = getvariable('study')
),
the_models AS (
    SELECT * FROM models
    WHERE study = getvariable('study') AND checkpoint_of IS NULL AND left_out IS NULL
),
the_sets AS (
    SELECT dataset, place, values_only FROM study_subsets(getvariable('study'))
    WHERE subset = 'all' AND dataset = coalesce(getvariable('dataset'), dataset)
),
the_paths AS (
    SELECT p.* FROM paths p JOIN the_study s ON s.study = p.study AND s.precision = p.precision
    SEMI JOIN the_models a ON a.model_id = p.model_a_id
    SEMI JOIN the_models b ON b.model_id = p.model_b_id
    WHERE p.modules = 'all'
),
evaluated AS (
    SELECT e.run_id, e.dataset, e.value FROM evaluations e JOIN the_study s ON s.precision = e.precision
    WHERE e.subset = 'all' AND e.half = 'all' AND e.metric = 'loss'
),
pairs AS (
    SELECT
        0 AS kind_no, 'pair' AS kind, a.name AS model_a, b.name AS model_b, a.position AS pa,
        b.position AS pb, NULL AS dataset, NULL AS place, len(s.alphas) - 2 AS n_missing
    FROM the_models a
    JOIN the_models b ON a.position < b.position
    CROSS JOIN the_study s
    ANTI JOIN the_paths p ON p.model_a_id = a.model_id AND p.model_b_id = b.model_id
    -- Imported scores alone have no grid, and no path is missing.
    WHERE len(s.alphas) > 2
),
counted AS (
    SELECT p.path_id, e.dataset, count(DISTINCT t.alpha) AS n
    FROM the_paths p
    JOIN points t ON t.path_id = p.path_id
    JOIN the_study s ON list_contains(s.alphas, t.alpha)
    JOIN evaluated e ON e.run_id = t.point_id
    GROUP BY ALL
),
unfinished AS (
    SELECT
        1, 'points', p.model_a, p.model_b, a.position, b.position, d.dataset, d.place,
        len(s.alphas) - 2 - coalesce(c.n, 0)
    FROM the_paths p
    CROSS JOIN the_sets d
    CROSS JOIN the_study s
    JOIN the_models a ON a.model_id = p.model_a_id
    JOIN the_models b ON b.model_id = p.model_b_id
    LEFT JOIN counted c ON c.path_id = p.path_id AND c.dataset = d.dataset
    WHERE len(s.alphas) - 2 > coalesce(c.n, 0)
        -- Imported values of models alone are no sign that paths were to be evaluated there too.
        AND (
            d.dataset IN (SELECT dataset FROM counted)
            OR NOT (d.values_only OR EXISTS (
                SELECT 1 FROM models WHERE study = getvariable('study') AND source = 'imported'
            ))
        )
),
unevaluated AS (
    SELECT 2, 'evaluation', m.name, NULL, m.position, NULL, d.dataset, d.place, 1
    FROM the_models m
    CROSS JOIN the_sets d
    ANTI JOIN evaluated e ON e.run_id = m.model_id AND e.dataset = d.dataset
    ANTI JOIN imported_values i ON i.run_id = m.model_id AND i.dataset = d.dataset
),
-- Evaluated, but an example's loss is infinite or no number: there is no mean loss and no gap.
not_finite AS (
    SELECT
        3 AS kind_no, 'loss' AS kind, m.name AS model_a, NULL AS model_b, m.position AS pa,
        NULL AS pb, d.dataset, d.place, 1 AS n
    FROM evaluated e
    JOIN the_models m ON m.model_id = e.run_id
    JOIN the_sets d ON d.dataset = e.dataset
    WHERE e.value IS NULL
    UNION ALL
    SELECT
        3, 'loss', p.model_a, p.model_b, a.position, b.position, d.dataset, d.place, count(*)
    FROM evaluated e
    JOIN points t ON t.point_id = e.run_id
    JOIN the_paths p ON p.path_id = t.path_id
    JOIN the_models a ON a.model_id = p.model_a_id
    JOIN the_models b ON b.model_id = p.model_b_id
    JOIN the_sets d ON d.dataset = e.dataset
    WHERE e.value IS NULL
    GROUP BY ALL
)
SELECT kind, model_a, model_b, dataset, n_missing
FROM (
    SELECT * FROM pairs
    UNION ALL SELECT * FROM unfinished
    UNION ALL SELECT * FROM unevaluated
    UNION ALL SELECT * FROM not_finite
)
ORDER BY kind_no, pa, pb, place
