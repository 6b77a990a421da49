-- Where the excess of single examples comes from, at the supporting points of each path's gap.
CREATE VIEW attributions AS
SELECT
    s.path_id, s.dataset, r.example_id::BIGINT AS example_id,
    r.departure - r.averaging AS excess, r.departure, r.averaging
FROM storage.attribution_rows r
JOIN storage.supports s USING (set_no);

COMMENT ON VIEW attributions IS
'What held-out examples lose at the point of the gap that discovery examples chose, and why.';
COMMENT ON COLUMN attributions.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN attributions.dataset IS 'name of the set';
COMMENT ON COLUMN attributions.example_id IS 'number of the held-out example';
COMMENT ON COLUMN attributions.excess IS
'loss at alpha less the mean of the losses at l and r, nats: departure - averaging';
COMMENT ON COLUMN attributions.departure IS
'loss at alpha less that of the ensemble that averages the logits at l and r, nats';
COMMENT ON COLUMN attributions.averaging IS
'mean of the losses at l and r less the loss of that ensemble, nats, at least 0';
