-- The measures of the paths that have more points than the common grid, on all of their points.
-- More points can only raise a gap: what they add bounds the error of the common grid.
CREATE VIEW refined_gaps AS SELECT * FROM storage.refined_rows;

COMMENT ON VIEW refined_gaps IS 'Gaps of the paths with refined points, on all of their points.';
COMMENT ON COLUMN refined_gaps.study IS 'name of the study';
COMMENT ON COLUMN refined_gaps.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN refined_gaps.dataset IS 'name of the set';
COMMENT ON COLUMN refined_gaps.subset IS 'part of it; all';
COMMENT ON COLUMN refined_gaps.half IS 'all, discovery or held-out';
COMMENT ON COLUMN refined_gaps.metric IS 'a metric that has gaps, see metrics';
COMMENT ON COLUMN refined_gaps.n_refined IS 'points that the common grid does not have';
COMMENT ON COLUMN refined_gaps.convexity_gap IS 'greatest height above the lower convex hull';
COMMENT ON COLUMN refined_gaps.barrier_height IS 'greatest height above the chord of the endpoints';
COMMENT ON COLUMN refined_gaps.support IS 'l, alpha, r: chord from l to r, greatest height at alpha';
