-- What every model and point said about every example.
CREATE VIEW predictions AS
SELECT s.run_id, s.dataset, r.example_id, r.label, r.loss, r.logits
FROM storage.prediction_rows r
JOIN storage.prediction_sets s USING (set_no);

COMMENT ON VIEW predictions IS 'What every model and point said about every example.';
COMMENT ON COLUMN predictions.run_id IS 'MLflow run id of the model or point';
COMMENT ON COLUMN predictions.dataset IS 'name of the set';
COMMENT ON COLUMN predictions.example_id IS 'number within the joined sources';
COMMENT ON COLUMN predictions.label IS 'true label, an index into the data set''s label_names';
COMMENT ON COLUMN predictions.loss IS 'cross entropy of the projected logits, nats';
COMMENT ON COLUMN predictions.logits IS
'raw logits, in the order of the study''s label_names, before any projection';

-- Logits as shares of the labels that add up to 1. The largest is taken off first: exp of it could
-- be too large for a number.
CREATE MACRO softmax(logits) AS list_transform(
    list_transform(logits, lambda x: exp(x::DOUBLE - list_max(logits))),
    lambda part: part
        / list_sum(list_transform(logits, lambda x: exp(x::DOUBLE - list_max(logits))))
);

COMMENT ON MACRO softmax IS 'Logits as shares of the labels that add up to 1.';

-- What the models of a study said about every example of an evaluation set, or of a part of it:
-- `logits` are those of the set's own labels, projected where it has such. `precision_name` NULL is
-- the study's own precision.
CREATE MACRO study_predictions(
    study_name, dataset_name, subset_name, half_name, precision_name
) AS TABLE
WITH sets AS (
    SELECT s.set_no, m.model_id, m.position, s.projection, s.projection_groups
    FROM storage.prediction_sets s
    JOIN models m ON m.model_id = s.run_id
    JOIN studies t ON t.study = m.study AND s.precision = coalesce(precision_name, t.precision)
    WHERE m.study = study_name AND s.dataset = dataset_name
),
-- First, and by itself: joined to the examples before, the rows of all points would be read.
answers AS MATERIALIZED (
    SELECT
        sets.model_id, sets.position, r.example_id, r.label, r.loss,
        projected_logits(r.logits, sets.projection, sets.projection_groups) AS logits
    FROM storage.prediction_rows r
    JOIN sets USING (set_no)
),
asked_examples AS (
    SELECT e.example_id
    FROM examples e
    JOIN datasets d USING (data_digest)
    WHERE d.study = study_name AND d.dataset = dataset_name AND half_name IN ('all', e.half)
        AND (subset_name = 'all' OR EXISTS (
            SELECT 1 FROM example_subsets p
            WHERE p.data_digest = e.data_digest AND p.example_id = e.example_id
                AND p.subset = subset_name
        ))
)
SELECT *, predicted_label(logits) AS predicted
FROM answers
SEMI JOIN asked_examples USING (example_id);

COMMENT ON MACRO TABLE study_predictions IS 'What the models of a study said about every example.';
