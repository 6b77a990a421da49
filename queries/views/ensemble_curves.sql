-- The loss of averaged logits instead of averaged weights, at every point of the common grid.
CREATE VIEW ensemble_curves AS
SELECT path_id, dataset, half, unnest(s.alphas) AS alpha, unnest(e.losses) AS loss
FROM storage.ensemble_rows e
JOIN paths p USING (path_id)
JOIN studies s USING (study);

COMMENT ON VIEW ensemble_curves IS
'Loss of the logit ensemble of a path''s two models, along the common grid, ends included.';
COMMENT ON COLUMN ensemble_curves.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN ensemble_curves.dataset IS 'name of the set';
COMMENT ON COLUMN ensemble_curves.half IS 'all, discovery or held-out';
COMMENT ON COLUMN ensemble_curves.alpha IS 'share of model_b''s logits';
COMMENT ON COLUMN ensemble_curves.loss IS 'mean cross entropy of the averaged logits, nats';
