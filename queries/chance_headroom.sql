-- name: chance_headroom
-- description: What the models gained over knowing only the labels' frequencies, in nats.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
WITH losses AS (
    SELECT avg(e.value) AS mean_loss, count(e.value) AS n_models
    FROM evaluations e
    JOIN models m
        ON m.model_id = e.run_id AND m.study = getvariable('study') AND m.checkpoint_of IS NULL
    JOIN studies s
        ON s.study = m.study AND e.precision = coalesce(getvariable('precision'), s.precision)
    WHERE e.dataset = getvariable('dataset') AND e.subset = getvariable('subset')
        AND e.half = getvariable('half') AND e.metric = 'loss'
)
SELECT entropy, mean_loss, entropy - mean_loss AS headroom, n_models
FROM label_entropies CROSS JOIN losses
WHERE study = getvariable('study') AND dataset = getvariable('dataset')
    AND subset = getvariable('subset') AND half = getvariable('half')
