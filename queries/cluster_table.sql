-- name: cluster_table
-- description: The clusters: their models, their convexity gaps within and to others, their measures on validation.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'held-out': all, discovery or held-out; without it all, of imported values
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
validation AS (
    SELECT
        e.run_id AS model_id,
        any_value(e.value) FILTER (e.metric = 'loss') AS loss,
        any_value(e.value) FILTER (e.metric = 'accuracy') AS accuracy
    FROM evaluations e
    JOIN studies s
        ON s.study = getvariable('study')
        AND e.precision = coalesce(getvariable('precision'), s.precision)
    WHERE e.dataset = 'validation' AND e.subset = 'all' AND e.half = getvariable('half')
    GROUP BY ALL
),
clusters_of AS (
    SELECT
        cluster, count(*) AS n_models, list(name ORDER BY position) AS models,
        avg(loss) AS mean_validation_loss, avg(accuracy) AS mean_validation_accuracy
    FROM members LEFT JOIN validation USING (model_id)
    GROUP BY cluster
),
pairs AS (SELECT cluster_a, cluster_b, same_cluster, convexity_gap AS gap FROM study_pairs(
    getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
    getvariable('metric'), getvariable('modules'), getvariable('precision'),
    getvariable('clustering')
)),
within AS (
    SELECT cluster_a AS cluster, count(*) AS n, avg(gap) AS mean, max(gap) AS max
    FROM pairs WHERE same_cluster
    GROUP BY ALL
),
ends AS (
    SELECT cluster_a AS cluster, gap FROM pairs WHERE NOT same_cluster
    UNION ALL
    SELECT cluster_b, gap FROM pairs WHERE NOT same_cluster
),
to_others AS (SELECT cluster, avg(gap) AS mean FROM ends GROUP BY ALL)
SELECT
    c.cluster, c.n_models, c.models,
    coalesce(w.n, 0) AS n_pairs_within, w.mean AS mean_gap_within, w.max AS max_gap_within,
    o.mean AS mean_gap_to_others, c.mean_validation_loss, c.mean_validation_accuracy
FROM clusters_of c
LEFT JOIN within w ON w.cluster = c.cluster
LEFT JOIN to_others o ON o.cluster = c.cluster
ORDER BY c.cluster NULLS LAST
