-- The measures of the paths in touched_paths, for the view barriers. sets_of_points has the data sets
-- that any point of a study was evaluated on.
CREATE TEMP TABLE path_curves AS
SELECT
    row_number() OVER (ORDER BY c.path_id, c.dataset, c.subset, c.half, c.metric) AS curve,
    c.study, c.path_id, c.dataset, c.subset, c.half, c.metric,
    any_value(s.alphas) AS grid,
    list(c.alpha ORDER BY c.alpha) AS alphas,
    list(c.value ORDER BY c.alpha) AS losses
FROM curves c
JOIN studies s ON s.study = c.study
SEMI JOIN touched_paths t ON t.path_id = c.path_id
SEMI JOIN sets_of_points o ON o.study = c.study AND o.dataset = c.dataset
SEMI JOIN (FROM metrics WHERE gaps) k ON k.metric = c.metric
WHERE list_contains(s.alphas, c.alpha)
GROUP BY c.study, c.path_id, c.dataset, c.subset, c.half, c.metric;

CREATE TEMP TABLE complete_curves AS
SELECT curve, alphas, losses FROM path_curves WHERE alphas = grid;

INSERT INTO storage.barrier_rows
SELECT
    c.study, c.path_id, p.model_a, p.model_b, c.dataset, c.subset, c.half, c.metric,
    p.precision, p.modules,
    len(c.alphas)::INTEGER AS n_points, c.grid AS alphas,
    m.barrier_height, m.interpolation_instability, m.convexity_gap, m.curve_area,
    -- Nothing to relate a gap to where the endpoints are no better than the labels' frequencies.
    CASE WHEN k.unit = 'nats' AND e.entropy > (c.losses[1] + c.losses[-1]) / 2
        THEN m.convexity_gap / (e.entropy - (c.losses[1] + c.losses[-1]) / 2)
    END AS relative_gap,
    m.support,
    CASE WHEN m.convexity_gap IS NOT NULL THEN list_min(c.losses) END AS valley
FROM path_curves c
JOIN metrics k ON k.metric = c.metric
JOIN paths p ON p.path_id = c.path_id
LEFT JOIN curve_measures('complete_curves') m ON m.curve = c.curve
LEFT JOIN label_entropies e
    ON e.study = c.study AND e.dataset = c.dataset AND e.subset = c.subset AND e.half = c.half
ORDER BY c.curve;

DROP TABLE complete_curves;
DROP TABLE path_curves;
