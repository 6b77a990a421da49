-- The measures of those of touched_paths that have refined points, for the view refined_gaps.
CREATE TEMP TABLE fuller_paths AS
SELECT DISTINCT o.path_id
FROM points o
SEMI JOIN touched_paths t ON t.path_id = o.path_id
JOIN studies s ON s.study = o.study
WHERE NOT list_contains(s.alphas, o.alpha);

CREATE TEMP TABLE fuller_curves AS
SELECT
    row_number() OVER (ORDER BY c.path_id, c.dataset, c.subset, c.half, c.metric) AS curve,
    c.study, c.path_id, c.dataset, c.subset, c.half, c.metric,
    count(*) FILTER (NOT list_contains(s.alphas, c.alpha))::INTEGER AS n_refined,
    list(c.alpha ORDER BY c.alpha) AS alphas,
    list(c.value ORDER BY c.alpha) AS losses
FROM curves c
JOIN studies s ON s.study = c.study
SEMI JOIN fuller_paths t ON t.path_id = c.path_id
SEMI JOIN (FROM metrics WHERE gaps) k ON k.metric = c.metric
GROUP BY c.study, c.path_id, c.dataset, c.subset, c.half, c.metric
HAVING n_refined > 0;

INSERT INTO storage.refined_rows
SELECT
    c.study, c.path_id, c.dataset, c.subset, c.half, c.metric, c.n_refined,
    m.convexity_gap, m.barrier_height, m.support
FROM fuller_curves c
LEFT JOIN curve_measures('fuller_curves') m ON m.curve = c.curve
ORDER BY c.curve;

DROP TABLE fuller_curves;
DROP TABLE fuller_paths;
