-- The supporting points of the gaps of the paths in touched_paths, per data set, and the runs that
-- were evaluated there: l < alpha < r as discovery examples have them, so that held-out ones can be
-- asked about them. Paths without a gap, and those of checkpoints on the way, have none. Numbered so
-- that the paths of a study on one data set are together, in study order.
INSERT INTO storage.supports
WITH supported AS (
    SELECT study, path_id, dataset, support
    FROM barriers SEMI JOIN touched_paths USING (path_id)
    WHERE subset = 'all' AND half = 'discovery' AND metric = 'loss' AND convexity_gap > 0
),
samples AS (
    SELECT path_id, model_a_id AS run_id, 0.0::DOUBLE AS alpha FROM paths
    UNION ALL
    SELECT path_id, model_b_id, 1.0 FROM paths WHERE modules = 'all'
    UNION ALL
    SELECT path_id, point_id, alpha FROM points
)
SELECT
    (SELECT coalesce(max(set_no), 0) FROM storage.supports) + row_number() OVER (
        ORDER BY s.study, s.dataset, p.precision, a.position, b.position, s.path_id
    ) AS set_no,
    s.study, s.dataset, p.precision, s.path_id,
    (s.support.alpha - s.support.l) / (s.support.r - s.support.l) AS weight,
    l.run_id AS run_l, z.run_id AS run_alpha, r.run_id AS run_r
FROM supported s
JOIN paths p USING (path_id)
JOIN models a ON a.model_id = p.model_a_id AND a.checkpoint_of IS NULL
JOIN models b ON b.model_id = p.model_b_id AND b.checkpoint_of IS NULL
JOIN samples l ON l.path_id = s.path_id AND l.alpha = s.support.l
JOIN samples z ON z.path_id = s.path_id AND z.alpha = s.support.alpha
JOIN samples r ON r.path_id = s.path_id AND r.alpha = s.support.r
ORDER BY set_no;
