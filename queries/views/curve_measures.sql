-- The measures of curves, as lmc_track.geometry.curves defines them. `source` names a table with
-- the columns curve (any identity), alphas and losses (DOUBLE[] of equal length, by alpha). A curve
-- that is not measured on alphas that increase from 0 to 1, or has a missing or infinite loss,
-- gets NULL. Heights below 1e-12 are rounding and count as 0.
CREATE MACRO curve_measures(source) AS TABLE
WITH given AS (
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
valid_curves AS (SELECT * FROM given WHERE valid),
-- Every sub-interval [l, r] with a point k inside: the convexity gap is the greatest barrier
-- height over all of them.
triples AS (
    SELECT sizes.n, a.l, b.k, c.r
    FROM (SELECT DISTINCT n FROM valid_curves) sizes,
        LATERAL (SELECT unnest(range(1, sizes.n - 1)) AS l) a,
        LATERAL (SELECT unnest(range(a.l + 1, sizes.n)) AS k) b,
        LATERAL (SELECT unnest(range(b.k + 1, sizes.n + 1)) AS r) c
),
heights AS (
    SELECT
        curve, l, k, r,
        losses[k] - (
            losses[l] + (losses[r] - losses[l]) * (alphas[k] - alphas[l]) / (alphas[r] - alphas[l])
        ) AS height
    FROM valid_curves JOIN triples USING (n)
),
greatest_heights AS (SELECT curve, max(height) AS height FROM heights GROUP BY curve),
-- Of equal heights the smallest alpha, then the widest interval.
supports AS (
    SELECT curve, min({'k': k, 'l': l, 'r': -r}) AS best
    FROM heights JOIN greatest_heights USING (curve, height)
    WHERE height > 1e-12
    GROUP BY curve
),
measured AS (
    SELECT
        curve, alphas,
        list_max(list_transform(range(1, n + 1), lambda i:
            losses[i] - ((1 - alphas[i]) * first + alphas[i] * last))) AS above_chord,
        list_max(losses) - (first + last) / 2 AS above_mean,
        coalesce(height, 0) AS above_hull,
        list_sum(list_transform(range(1, n), lambda i:
            (alphas[i + 1] - alphas[i])
            * ((losses[i] + losses[i + 1]) / 2 - list_min(losses)))) AS area,
        best
    FROM valid_curves
    LEFT JOIN greatest_heights USING (curve)
    LEFT JOIN supports USING (curve)
)
SELECT
    curve,
    CASE WHEN above_chord > 1e-12 THEN above_chord WHEN valid THEN 0 END AS barrier_height,
    CASE WHEN above_mean > 1e-12 THEN above_mean WHEN valid THEN 0 END AS interpolation_instability,
    CASE WHEN above_hull > 1e-12 THEN above_hull WHEN valid THEN 0 END AS convexity_gap,
    area AS curve_area,
    CASE WHEN best IS NOT NULL THEN
        {'l': given.alphas[best.l], 'alpha': given.alphas[best.k], 'r': given.alphas[-best.r]}
    END AS support
FROM given
LEFT JOIN measured USING (curve);

COMMENT ON MACRO TABLE curve_measures IS 'The measures of the curves in a table of curve, alphas, losses.';
