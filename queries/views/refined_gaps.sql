-- The measures of the paths that have more points than the common grid, on all of their points.
-- More points can only raise a gap: what they add bounds the error of the common grid.
CREATE TEMP TABLE fuller_curves AS
SELECT
    row_number() OVER (ORDER BY c.path_id, c.dataset, c.subset, c.half, c.metric) AS curve,
    c.study, c.path_id, c.dataset, c.subset, c.half, c.metric,
    count(*) FILTER (NOT list_contains(s.alphas, c.alpha))::INTEGER AS n_refined,
    list(c.alpha ORDER BY c.alpha) AS alphas,
    list(c.value ORDER BY c.alpha) AS losses
FROM curves c
JOIN studies s ON s.study = c.study
WHERE c.metric IN ('loss', 'error')
    AND c.path_id IN (
        SELECT o.path_id FROM points o JOIN studies s ON s.study = o.study
        WHERE NOT list_contains(s.alphas, o.alpha)
    )
GROUP BY c.study, c.path_id, c.dataset, c.subset, c.half, c.metric
HAVING n_refined > 0;

CREATE TABLE storage.refined_rows AS
SELECT
    c.study, c.path_id, c.dataset, c.subset, c.half, c.metric, c.n_refined,
    m.convexity_gap, m.barrier_height, m.support
FROM fuller_curves c
LEFT JOIN curve_measures('fuller_curves') m ON m.curve = c.curve
ORDER BY c.curve;

DROP TABLE fuller_curves;

CREATE VIEW refined_gaps AS SELECT * FROM storage.refined_rows;

COMMENT ON VIEW refined_gaps IS 'Gaps of the paths with refined points, on all of their points.';
COMMENT ON COLUMN refined_gaps.study IS 'name of the study';
COMMENT ON COLUMN refined_gaps.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN refined_gaps.dataset IS 'name of the set';
COMMENT ON COLUMN refined_gaps.subset IS 'part of it; all';
COMMENT ON COLUMN refined_gaps.half IS 'all, discovery or held-out';
COMMENT ON COLUMN refined_gaps.metric IS 'loss or error';
COMMENT ON COLUMN refined_gaps.n_refined IS 'points that the common grid does not have';
COMMENT ON COLUMN refined_gaps.convexity_gap IS 'greatest height above the lower convex hull';
COMMENT ON COLUMN refined_gaps.barrier_height IS 'greatest height above the chord of the endpoints';
COMMENT ON COLUMN refined_gaps.support IS 'l, alpha, r: chord from l to r, greatest height at alpha';
