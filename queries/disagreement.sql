-- name: disagreement
-- description: The examples on which models disagree, those that clusters differ most on first.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'held-out': all, discovery or held-out
-- param limit INTEGER = 20: greatest number of examples; all if NULL
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- right_in_clusters has the share of models that are right in cluster 0, 1, ...; spread is the
-- largest of these less the smallest. n_predicted has how many models give label 0, 1, ...
WITH answers AS MATERIALIZED (
    SELECT p.example_id, p.label, p.predicted, p.predicted = p.label AS is_right, k.cluster,
        len(p.logits) AS n_labels
    FROM study_predictions(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('precision')
    ) p
    JOIN study_models(getvariable('study'), getvariable('clustering')) k USING (model_id)
),
in_clusters AS (
    SELECT
        example_id, list(share ORDER BY cluster) AS shares, max(share) - min(share) AS spread
    FROM (
        SELECT example_id, cluster, avg(is_right::INTEGER) AS share
        FROM answers WHERE cluster IS NOT NULL
        GROUP BY example_id, cluster
    )
    GROUP BY example_id
),
overall AS (
    SELECT
        example_id, label, count(*) AS n_models, avg(is_right::INTEGER) AS share,
        histogram(predicted) AS said, max(n_labels) AS n_labels
    FROM answers
    GROUP BY example_id, label
)
SELECT
    o.example_id, coalesce(d.label_names[o.label + 1], s.label_names[o.label + 1], o.label::VARCHAR) AS label,
    o.n_models, o.share AS right_overall, c.shares AS right_in_clusters, c.spread,
    list_transform(range(o.n_labels), lambda k: coalesce(o.said[k], 0)) AS n_predicted,
    e.half, e.text
FROM overall o
JOIN studies s ON s.study = getvariable('study')
JOIN datasets d ON d.study = s.study AND d.dataset = getvariable('dataset')
JOIN examples e ON e.data_digest = d.data_digest AND e.example_id = o.example_id
LEFT JOIN in_clusters c ON c.example_id = o.example_id
-- Of examples that clusters agree on, those first that models are most evenly divided on.
ORDER BY c.spread DESC NULLS LAST, abs(o.share - 0.5), o.example_id
LIMIT coalesce(getvariable('limit'), 9223372036854775807)
