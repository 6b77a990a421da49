-- The measures of curves, as lmc_track.geometry.curves defines them. `source` names a table with
-- the columns curve (any identity), alphas and losses (DOUBLE[] of equal length, by alpha). A curve
-- that is not measured on alphas that increase from 0 to 1, or has a missing or infinite loss,
-- gets NULL. Heights below 1e-12 are rounding and count as 0.
CREATE MACRO curve_measures(source) AS TABLE
WITH RECURSIVE given AS MATERIALIZED (
    SELECT
        curve, alphas, losses, len(alphas) AS n,
        losses[1] AS first, losses[-1] AS last,
        coalesce(
            n >= 2 AND len(losses) = n AND alphas[1] = 0 AND alphas[-1] = 1
            AND list_bool_and(list_transform(range(1, n), lambda i: alphas[i] < alphas[i + 1]))
            AND list_bool_and(list_transform(losses, lambda x: coalesce(isfinite(x), false))),
            false
        ) AS valid
    FROM query_table(source)
),
valid_curves AS MATERIALIZED (SELECT * FROM given WHERE valid),
-- The lower convex hull, walked from its first vertex to its last (Jarvis 1973): from the vertex l
-- the next one, r, is where the chord from l is flattest; of equally flat chords the longest, so
-- that a straight piece is one edge. A row is an edge; the first of every curve only starts it.
-- The greatest height above the hull is the greatest barrier height over all sub-intervals, and
-- takes a walk along the vertices instead of a look at every triple of points.
edges AS (
    SELECT curve, 0::BIGINT AS l, 1::BIGINT AS r FROM valid_curves
    UNION ALL
    SELECT curve, r, n + 1 - list_position(slopes, list_min(slopes))
    FROM (
        SELECT
            e.curve, e.r, c.n,
            list_transform(
                range(c.n, e.r, -1),
                lambda k: (c.losses[k] - c.losses[e.r]) / (c.alphas[k] - c.alphas[e.r])
            ) AS slopes
        FROM edges e
        JOIN valid_curves c ON c.curve = e.curve AND e.r < c.n
    )
),
-- Heights of the points over their edge. A vertex has none.
over_edges AS (
    SELECT
        curve, l, r,
        list_transform(range(l + 1, r), lambda k:
            losses[k] - (
                losses[l]
                + (losses[r] - losses[l]) / (alphas[r] - alphas[l]) * (alphas[k] - alphas[l])
            )) AS heights
    FROM edges JOIN valid_curves USING (curve)
    WHERE l > 0 AND r > l + 1
),
-- Of equal heights the smallest alpha.
highest AS (
    SELECT
        curve, list_max(heights) AS height,
        {'l': l, 'k': l + list_position(heights, list_max(heights)), 'r': r} AS best
    FROM over_edges
    QUALIFY row_number() OVER (PARTITION BY curve ORDER BY height DESC, l) = 1
),
measured AS (
    SELECT
        curve,
        list_max(list_transform(range(1, n + 1), lambda i:
            losses[i] - ((1 - alphas[i]) * first + alphas[i] * last))) AS above_chord,
        list_max(losses) - (first + last) / 2 AS above_mean,
        coalesce(height, 0) AS above_hull,
        list_sum(list_transform(range(1, n), lambda i:
            (alphas[i + 1] - alphas[i])
            * ((losses[i] + losses[i + 1]) / 2 - list_min(losses)))) AS area,
        CASE WHEN above_hull > 1e-12 THEN
            {'l': alphas[best.l], 'alpha': alphas[best.k], 'r': alphas[best.r]}
        END AS support
    FROM valid_curves
    LEFT JOIN highest USING (curve)
)
SELECT
    curve,
    CASE WHEN above_chord > 1e-12 THEN above_chord WHEN valid THEN 0 END AS barrier_height,
    CASE WHEN above_mean > 1e-12 THEN above_mean WHEN valid THEN 0 END AS interpolation_instability,
    CASE WHEN above_hull > 1e-12 THEN above_hull WHEN valid THEN 0 END AS convexity_gap,
    area AS curve_area,
    support
FROM given
LEFT JOIN measured USING (curve);

COMMENT ON MACRO TABLE curve_measures IS 'The measures of the curves in a table of curve, alphas, losses.';
