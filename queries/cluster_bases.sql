-- name: cluster_bases
-- description: The verdict on gaps of the loss, of the error and of the calibrated loss, side by side.
-- param study VARCHAR required: name of the study
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- The declared metric is judged by its own p_value; the others count where p_corrected, for there
-- being so many, is at most .05. agreement is the adjusted Rand index of the best divisions.
-- Gaps are means of held-out examples over the best division, in nats or as shares of error.
WITH judged AS (
    SELECT
        unnest(from_json(statistics::JSON -> 'bases', '[{
            "metric": "VARCHAR", "declared": "BOOLEAN", "n_clusters": "INTEGER",
            "sizes": ["INTEGER"], "apart": ["VARCHAR"], "silhouette": "DOUBLE",
            "p_value": "DOUBLE", "p_corrected": "DOUBLE", "mean_gap_within": "DOUBLE",
            "mean_gap_between": "DOUBLE", "ratio": "DOUBLE", "agreement": "DOUBLE",
            "decision": "VARCHAR"
        }]')) AS basis
    FROM clusterings
    JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) USING (clustering_id)
)
SELECT
    basis.metric, basis.declared, basis.n_clusters, basis.sizes AS best_division,
    basis.apart, basis.silhouette, basis.p_value, basis.p_corrected,
    basis.mean_gap_within, basis.mean_gap_between, basis.ratio, basis.agreement, basis.decision
FROM judged
ORDER BY basis.declared DESC, basis.metric
