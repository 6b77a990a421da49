-- name: cluster_choices
-- description: What speaks for each number of clusters that was tried: score, discovery and held-out silhouette.
-- param study VARCHAR required: name of the study
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH tried AS (
    SELECT
        unnest(from_json(statistics::JSON -> 'choices', '[{
            "k": "INTEGER", "sizes": ["INTEGER"], "score": "DOUBLE",
            "discovery_silhouette": "DOUBLE", "held_out_silhouette": "DOUBLE", "chosen": "BOOLEAN"
        }]')) AS choice
    FROM clusterings
    JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) USING (clustering_id)
)
SELECT
    choice.k, choice.sizes,
    -- Mean discovery silhouette, less a quarter over the size of the smallest cluster.
    choice.score,
    choice.discovery_silhouette, choice.held_out_silhouette, choice.chosen
FROM tried
ORDER BY choice.k
