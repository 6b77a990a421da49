-- The measures of every path on its study's common grid, per data set, subset, half and metric.
-- Computed once, at ingest: a study of 100 models has about 5,000 paths. A path that misses a
-- point of the grid has a row whose measures are NULL; refined points do not enter, nor do data sets
-- that no point of the study was evaluated on, such as imported scores of the models.
CREATE VIEW barriers AS SELECT * FROM storage.barrier_rows;

COMMENT ON VIEW barriers IS 'Measures of every path on the common grid; NULL where it is incomplete.';
COMMENT ON COLUMN barriers.study IS 'name of the study';
COMMENT ON COLUMN barriers.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN barriers.model_a IS 'name of the model at alpha 0';
COMMENT ON COLUMN barriers.model_b IS 'name of the model at alpha 1';
COMMENT ON COLUMN barriers.dataset IS 'name of the set';
COMMENT ON COLUMN barriers.subset IS 'part of it; all';
COMMENT ON COLUMN barriers.half IS 'all, discovery or held-out';
COMMENT ON COLUMN barriers.metric IS 'a metric that has gaps, see metrics';
COMMENT ON COLUMN barriers.precision IS 'precision of the evaluations';
COMMENT ON COLUMN barriers.modules IS 'modules that move; all';
COMMENT ON COLUMN barriers.n_points IS 'points of the common grid that were measured';
COMMENT ON COLUMN barriers.alphas IS 'the common grid, endpoints included';
COMMENT ON COLUMN barriers.barrier_height IS 'greatest height above the chord of the endpoints';
COMMENT ON COLUMN barriers.interpolation_instability IS 'greatest height above the endpoints'' mean';
COMMENT ON COLUMN barriers.convexity_gap IS 'greatest height above the lower convex hull';
COMMENT ON COLUMN barriers.curve_area IS 'trapezoid area above the curve''s minimum';
COMMENT ON COLUMN barriers.relative_gap IS 'gap / (label entropy - mean endpoint value); of losses only';
COMMENT ON COLUMN barriers.support IS 'l, alpha, r: chord from l to r, greatest height at alpha';
COMMENT ON COLUMN barriers.valley IS 'least value along the path, ends included';
