-- name: diagnostics
-- description: One metric of every model on every evaluation set and subset; NULL where it was not evaluated.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = NULL: one evaluation set; all if NULL
-- param subset VARCHAR = NULL: one subset; all rows if NULL
-- param half VARCHAR = 'held-out': all, discovery or held-out; of imported values always all
-- param metric VARCHAR = 'accuracy': {metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
SELECT
    model, position, cluster, dataset, role, subset, getvariable('metric') AS metric, half, value,
    n_examples, model_id
FROM study_values(
    getvariable('study'), getvariable('half'), getvariable('metric'), getvariable('precision'),
    getvariable('clustering')
)
WHERE dataset = coalesce(getvariable('dataset'), dataset)
    AND subset = coalesce(getvariable('subset'), subset)
ORDER BY place, position
