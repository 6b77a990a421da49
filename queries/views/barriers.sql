-- The measures of every path on its study's common grid, per data set, subset, half and metric.
-- Computed once, at ingest: a study of 100 models has about 5,000 paths. A path that misses a
-- point of the grid has a row whose measures are NULL; refined points do not enter, nor do data sets
-- that no point of the study was evaluated on, such as imported scores of the models.
CREATE TEMP TABLE sets_of_points AS
SELECT p.study, s.dataset FROM storage.prediction_sets s JOIN points p ON p.point_id = s.run_id
UNION
SELECT p.study, i.dataset FROM imported_values i JOIN points p ON p.point_id = i.run_id;

CREATE TEMP TABLE path_curves AS
SELECT
    row_number() OVER (ORDER BY c.path_id, c.dataset, c.subset, c.half, c.metric) AS curve,
    c.study, c.path_id, c.dataset, c.subset, c.half, c.metric,
    any_value(s.alphas) AS grid,
    list(c.alpha ORDER BY c.alpha) AS alphas,
    list(c.value ORDER BY c.alpha) AS losses
FROM curves c
JOIN studies s ON s.study = c.study
SEMI JOIN sets_of_points o ON o.study = c.study AND o.dataset = c.dataset
WHERE c.metric IN ('loss', 'error') AND list_contains(s.alphas, c.alpha)
GROUP BY c.study, c.path_id, c.dataset, c.subset, c.half, c.metric;

CREATE TEMP TABLE complete_curves AS
SELECT curve, alphas, losses FROM path_curves WHERE alphas = grid;

CREATE TABLE storage.barrier_rows AS
SELECT
    c.study, c.path_id, p.model_a, p.model_b, c.dataset, c.subset, c.half, c.metric,
    p.precision, p.modules,
    len(c.alphas)::INTEGER AS n_points, c.grid AS alphas,
    m.barrier_height, m.interpolation_instability, m.convexity_gap, m.curve_area,
    -- Nothing to relate a gap to where the endpoints are no better than the labels' frequencies.
    CASE WHEN c.metric = 'loss' AND e.entropy > (c.losses[1] + c.losses[-1]) / 2
        THEN m.convexity_gap / (e.entropy - (c.losses[1] + c.losses[-1]) / 2)
    END AS relative_gap,
    m.support
FROM path_curves c
JOIN paths p ON p.path_id = c.path_id
LEFT JOIN curve_measures('complete_curves') m ON m.curve = c.curve
LEFT JOIN label_entropies e
    ON e.study = c.study AND e.dataset = c.dataset AND e.subset = c.subset AND e.half = c.half
ORDER BY c.curve;

DROP TABLE complete_curves;
DROP TABLE path_curves;
DROP TABLE sets_of_points;

CREATE VIEW barriers AS SELECT * FROM storage.barrier_rows;

COMMENT ON VIEW barriers IS 'Measures of every path on the common grid; NULL where it is incomplete.';
COMMENT ON COLUMN barriers.study IS 'name of the study';
COMMENT ON COLUMN barriers.path_id IS 'MLflow run id of the path';
COMMENT ON COLUMN barriers.model_a IS 'name of the model at alpha 0';
COMMENT ON COLUMN barriers.model_b IS 'name of the model at alpha 1';
COMMENT ON COLUMN barriers.dataset IS 'name of the set';
COMMENT ON COLUMN barriers.subset IS 'part of it; all';
COMMENT ON COLUMN barriers.half IS 'all, discovery or held-out';
COMMENT ON COLUMN barriers.metric IS 'loss or error';
COMMENT ON COLUMN barriers.precision IS 'precision of the evaluations';
COMMENT ON COLUMN barriers.modules IS 'modules that move; all';
COMMENT ON COLUMN barriers.n_points IS 'points of the common grid that were measured';
COMMENT ON COLUMN barriers.alphas IS 'the common grid, endpoints included';
COMMENT ON COLUMN barriers.barrier_height IS 'greatest height above the chord of the endpoints';
COMMENT ON COLUMN barriers.interpolation_instability IS 'greatest height above the endpoints'' mean';
COMMENT ON COLUMN barriers.convexity_gap IS 'greatest height above the lower convex hull';
COMMENT ON COLUMN barriers.curve_area IS 'trapezoid area above the curve''s minimum';
COMMENT ON COLUMN barriers.relative_gap IS 'gap / (label entropy - mean endpoint loss); loss only';
COMMENT ON COLUMN barriers.support IS 'l, alpha, r: chord from l to r, greatest height at alpha';
