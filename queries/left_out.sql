-- name: left_out
-- description: The models and evaluation sets of a study that do not count, and why.
-- param study VARCHAR required: name of the study
-- Models that failed are still in the tables models and evaluations; the others are in none.
WITH accuracies AS (
    SELECT e.run_id, e.value AS validation_accuracy
    FROM evaluations e
    JOIN studies s ON s.study = getvariable('study') AND s.precision = e.precision
    WHERE e.dataset = 'validation' AND e.subset = 'all' AND e.half = 'all'
        AND e.metric = 'accuracy'
)
SELECT l.kind, l.name, l.reason, l.why, a.validation_accuracy, l.checkpoint_of, l.model_id
FROM left_out l
LEFT JOIN accuracies a ON a.run_id = l.model_id
WHERE l.study = getvariable('study')
ORDER BY l.kind DESC, l.position, l.name
