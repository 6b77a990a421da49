-- name: chance_headroom
-- description: How far models, and the valleys of the paths between them, are below the loss of knowing only the labels' frequencies, in nats.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
WITH losses AS (
    SELECT avg(e.value) AS mean_loss, count(e.value) AS n_models
    FROM evaluations e
    JOIN models m
        ON m.model_id = e.run_id AND m.study = getvariable('study')
        AND m.checkpoint_of IS NULL AND m.left_out IS NULL
    JOIN studies s
        ON s.study = m.study AND e.precision = coalesce(getvariable('precision'), s.precision)
    WHERE e.dataset = getvariable('dataset') AND e.subset = getvariable('subset')
        AND e.half = getvariable('half') AND e.metric = 'loss'
),
-- The least loss along each path whose curve is complete on the common grid, ends included.
valleys AS (
    SELECT avg(b.valley) AS mean_valley, count(b.valley) AS n_valleys
    FROM barriers b
    JOIN studies s
        ON s.study = b.study AND b.precision = coalesce(getvariable('precision'), s.precision)
    JOIN paths p ON p.path_id = b.path_id
    JOIN models ma ON ma.model_id = p.model_a_id AND ma.checkpoint_of IS NULL
    JOIN models mb ON mb.model_id = p.model_b_id AND mb.checkpoint_of IS NULL
    WHERE b.study = getvariable('study') AND b.dataset = getvariable('dataset')
        AND b.subset = getvariable('subset') AND b.half = getvariable('half')
        AND b.metric = 'loss' AND b.modules = 'all'
)
SELECT
    entropy, mean_loss, entropy - mean_loss AS headroom, n_models,
    mean_valley, entropy - mean_valley AS valley_headroom, n_valleys
FROM label_entropies CROSS JOIN losses CROSS JOIN valleys
WHERE study = getvariable('study') AND dataset = getvariable('dataset')
    AND subset = getvariable('subset') AND half = getvariable('half')
