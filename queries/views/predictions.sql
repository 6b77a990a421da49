-- What every model and point said about every example.
CREATE VIEW predictions AS
SELECT s.run_id, s.dataset, r.example_id, r.label, r.loss, r.logits
FROM storage.prediction_rows r
JOIN storage.prediction_sets s USING (set_no);

COMMENT ON VIEW predictions IS 'What every model and point said about every example.';
COMMENT ON COLUMN predictions.run_id IS 'MLflow run id of the model or point';
COMMENT ON COLUMN predictions.dataset IS 'name of the set';
COMMENT ON COLUMN predictions.example_id IS 'number within the joined sources';
COMMENT ON COLUMN predictions.label IS 'true label';
COMMENT ON COLUMN predictions.loss IS 'cross entropy, nats';
COMMENT ON COLUMN predictions.logits IS 'raw logits, in label order';
