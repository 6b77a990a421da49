-- Every measured value along every path, endpoints and refined points included.
-- The endpoints of a path on which all modules move are the models themselves.
CREATE VIEW curves AS
WITH samples AS (
    SELECT path_id, study, precision, model_a_id AS run_id, 0.0::DOUBLE AS alpha FROM paths
    UNION ALL
    SELECT path_id, study, precision, model_b_id, 1.0 FROM paths WHERE modules = 'all'
    UNION ALL
    SELECT path_id, paths.study, precision, point_id, alpha FROM points JOIN paths USING (path_id)
)
SELECT s.study, s.path_id, e.dataset, e.subset, e.half, e.metric, s.alpha, e.value
FROM samples s
JOIN evaluations e ON e.run_id = s.run_id AND e.precision = s.precision;

COMMENT ON VIEW curves IS 'Every value along every path, endpoints and refined points included.';
COMMENT ON COLUMN curves.study IS 'name of the study';
COMMENT ON COLUMN curves.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN curves.dataset IS 'name of the set';
COMMENT ON COLUMN curves.subset IS 'part of it; all';
COMMENT ON COLUMN curves.half IS 'all, discovery or held-out';
COMMENT ON COLUMN curves.metric IS 'one of those in metrics';
COMMENT ON COLUMN curves.alpha IS 'share of model_b';
COMMENT ON COLUMN curves.value IS 'loss in nats, otherwise a fraction';
