-- name: cluster_diagnostics
-- description: One metric per cluster on every evaluation set and subset, and how it differs from the other clusters, raw and adjusted for validation.
-- param study VARCHAR required: name of the study
-- param half VARCHAR = 'held-out': all, discovery or held-out; of imported values always all
-- param metric VARCHAR = 'accuracy': {metrics}
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH model_values AS MATERIALIZED (
    SELECT * FROM study_values(
        getvariable('study'), getvariable('half'), getvariable('metric'), getvariable('precision'),
        getvariable('clustering')
    )
    WHERE value IS NOT NULL
),
per_cluster AS (
    SELECT
        place, dataset, role, subset, half, cluster,
        count(*) AS n_models, avg(value) AS mean, stddev_samp(value) AS sd,
        stddev_pop(value) AS sd_n,
        min(value) AS min, max(value) AS max
    FROM model_values
    GROUP BY ALL
),
contrasts AS MATERIALIZED (SELECT * FROM cluster_contrasts('model_values')),
the_study AS (
    SELECT *, string_split(primary_diagnostic, ':') AS named
    FROM studies WHERE study = getvariable('study')
),
-- p values were computed at ingest, at the study's own precision.
tested AS (
    SELECT e.*, CASE WHEN e.is_primary AND c.n_clusters = 2 THEN e.p_value ELSE e.p_corrected END AS p
    FROM cluster_effects e
    JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) c
        ON c.clustering_id = e.clustering_id
    JOIN the_study s ON coalesce(getvariable('precision'), s.precision) = s.precision
    WHERE e.metric = getvariable('metric')
),
primaries AS (
    SELECT c.cluster, sign(c.difference) AS direction
    FROM contrasts c
    JOIN per_cluster p ON p.place = c.place AND p.cluster = c.cluster
    JOIN the_study s ON p.dataset = s.named[1] AND p.subset = s.named[2]
)
SELECT
    p.dataset, p.role, p.subset, getvariable('metric') AS metric, p.half, p.cluster, p.n_models,
    p.mean, p.sd, p.sd_n, p.min, p.max,
    max(p.mean) OVER (PARTITION BY p.place) - min(p.mean) OVER (PARTITION BY p.place) AS spread,
    c.n_out, c.mean_out, c.difference, c.auc, c.r,
    c.adjusted_difference, c.adjusted_auc, c.adjusted_r,
    t.p_value, t.p_corrected, t.adjusted_p_value, t.adjusted_p_corrected, t.smallest_p,
    coalesce(
        p.dataset = s.named[1] AND p.subset = s.named[2] AND getvariable('metric') = s.named[3],
        false
    ) AS is_primary,
    -- Against the direction of the primary diagnostic, in the same metric; NULL without one.
    sign(c.difference) * d.direction < 0 AS reversed,
    effect_verdict(t.n_in, t.n_out, t.smallest_p, t.p) AS verdict
FROM per_cluster p
CROSS JOIN the_study s
LEFT JOIN contrasts c ON c.place = p.place AND c.cluster = p.cluster
LEFT JOIN tested t
    ON t.dataset = p.dataset AND t.subset = p.subset AND t.half = p.half
    AND t.cluster = p.cluster
LEFT JOIN primaries d ON d.cluster = p.cluster
ORDER BY p.place, p.cluster NULLS LAST
