-- Every cluster against the rest on one metric, as lmc_track.analysis.effects defines it: means,
-- difference, AUC and point-biserial r, of the values as they are and of their residuals on
-- validation; adjusted_r is the partial correlation given validation. `source` names a table of one metric with the columns place (one for each data set
-- and subset), dataset, subset, model_id, cluster, value. Models without a cluster or a value take
-- no part.
CREATE MACRO cluster_contrasts(source) AS TABLE
WITH members AS MATERIALIZED (
    SELECT place, dataset, subset, model_id, cluster, value
    FROM query_table(source)
    WHERE value IS NOT NULL AND cluster IS NOT NULL
),
beside AS (
    SELECT m.place, m.model_id, m.cluster, m.value, v.value AS validation
    FROM members m
    JOIN members v ON v.model_id = m.model_id AND v.dataset = 'validation' AND v.subset = 'all'
),
-- The least-squares line of each row on validation; level where validation is equal everywhere.
lines AS (
    SELECT
        place, avg(value) AS mean_value, avg(validation) AS mean_validation,
        CASE WHEN max(validation) - min(validation) > 1e-9
            THEN regr_slope(value, validation) ELSE 0
        END AS slope
    FROM beside GROUP BY place
),
residuals AS (
    SELECT
        place, model_id, cluster,
        value - mean_value - slope * (validation - mean_validation) AS value
    FROM beside JOIN lines USING (place)
),
measured AS MATERIALIZED (
    SELECT 'raw' AS kind, place, cluster, value FROM members
    UNION ALL
    -- A row that lies on its line leaves nothing to compare.
    SELECT 'adjusted', place, cluster, value
    FROM residuals
    QUALIFY max(value) OVER (PARTITION BY place) - min(value) OVER (PARTITION BY place) > 1e-9
),
all_clusters AS (SELECT DISTINCT cluster FROM members),
sides AS (
    SELECT
        kind, place, c.cluster,
        count(*) FILTER (m.cluster = c.cluster) AS n_in,
        count(*) FILTER (m.cluster <> c.cluster) AS n_out,
        avg(value) FILTER (m.cluster = c.cluster) AS mean_in,
        avg(value) FILTER (m.cluster <> c.cluster) AS mean_out,
        CASE WHEN n_in > 0 AND n_out > 0 AND max(value) - min(value) > 1e-9
            THEN corr(value, (m.cluster = c.cluster)::DOUBLE)
        END AS r
    FROM measured m CROSS JOIN all_clusters c
    GROUP BY ALL
),
-- How often a model of the cluster has the larger value; within rounding it is a tie, and half.
duels AS (
    SELECT
        a.kind, a.place, a.cluster,
        avg(CASE WHEN abs(a.value - b.value) <= 1e-9 THEN 0.5 ELSE (a.value > b.value)::DOUBLE END)
            AS auc
    FROM measured a
    JOIN measured b ON b.kind = a.kind AND b.place = a.place AND b.cluster <> a.cluster
    GROUP BY ALL
),
contrasts AS (
    SELECT
        kind, place, cluster, n_in, n_out, mean_in, mean_out,
        CASE WHEN abs(mean_in - mean_out) < 1e-12 THEN 0 ELSE mean_in - mean_out END AS difference,
        auc, r
    FROM sides LEFT JOIN duels USING (kind, place, cluster)
),
-- The partial correlation adjusts the membership as well: residuals of both on validation.
membership_lines AS (
    SELECT
        b.place, c.cluster, avg((b.cluster = c.cluster)::DOUBLE) AS mean_inside,
        avg(validation) AS mean_validation,
        CASE WHEN max(validation) - min(validation) > 1e-9
            THEN regr_slope((b.cluster = c.cluster)::DOUBLE, validation) ELSE 0
        END AS slope
    FROM beside b CROSS JOIN all_clusters c
    GROUP BY b.place, c.cluster
),
memberships_left AS (
    SELECT
        b.place, l.cluster, r.value,
        (b.cluster = l.cluster)::DOUBLE - mean_inside - slope * (validation - mean_validation)
            AS inside
    FROM beside b
    JOIN membership_lines l USING (place)
    JOIN residuals r ON r.place = b.place AND r.model_id = b.model_id
),
partial AS (
    SELECT
        place, cluster,
        CASE WHEN max(inside) - min(inside) > 1e-9 AND max(value) - min(value) > 1e-9
            THEN corr(value, inside)
        END AS r
    FROM memberships_left GROUP BY place, cluster
)
SELECT
    raw.place, raw.cluster, raw.n_in, raw.n_out, raw.mean_in, raw.mean_out, raw.difference,
    raw.auc, raw.r,
    adjusted.difference AS adjusted_difference, adjusted.auc AS adjusted_auc,
    partial.r AS adjusted_r
FROM contrasts raw
LEFT JOIN contrasts adjusted
    ON adjusted.kind = 'adjusted' AND adjusted.place = raw.place AND adjusted.cluster = raw.cluster
LEFT JOIN partial ON partial.place = raw.place AND partial.cluster = raw.cluster
WHERE raw.kind = 'raw';

COMMENT ON MACRO TABLE cluster_contrasts IS 'Every cluster against the rest on one metric.';

-- What a test lets one say. `p` is the one to go by: corrected for the family, or that of the
-- primary diagnostic by itself. NULL where nothing was tested.
CREATE MACRO effect_verdict(n_in, n_out, smallest_p, p) AS
CASE
    WHEN smallest_p IS NULL THEN NULL
    WHEN least(n_in, n_out) < 2 THEN 'cannot be said: a single model has no spread'
    WHEN smallest_p > 0.05 THEN format(
        'cannot be said: {} against {} models cannot attain p below {:.2g}', n_in, n_out, smallest_p
    )
    WHEN p IS NULL THEN 'all models are equal'
    WHEN p <= 0.05 THEN 'differs'
    ELSE 'not shown to differ'
END;

COMMENT ON MACRO effect_verdict IS 'What a test of one cluster against the rest lets one say.';
