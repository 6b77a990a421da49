-- name: cluster_choices
-- description: What speaks for each number of clusters that was tried: eigengap, discovery and held-out silhouette.
-- param study VARCHAR required: name of the study
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
WITH asked AS (
    SELECT statistics::JSON AS statistics
    FROM clusterings
    JOIN chosen_clustering(getvariable('study'), getvariable('clustering')) USING (clustering_id)
),
tried AS (
    SELECT
        (statistics ->> 'k')::INTEGER AS chosen_k,
        (statistics ->> 'eigengap_k')::INTEGER AS eigengap_k,
        unnest(from_json(statistics -> 'choices', '[{
            "k": "INTEGER", "eigenvalue": "DOUBLE", "eigengap": "DOUBLE",
            "discovery_silhouette": "DOUBLE", "held_out_silhouette": "DOUBLE",
            "sizes": ["INTEGER"], "usable": "BOOLEAN"
        }]')) AS choice
    FROM asked
)
SELECT
    choice.k, choice.sizes, choice.eigenvalue, choice.eigengap,
    choice.discovery_silhouette, choice.held_out_silhouette,
    -- Only a division with two clusters of two models or more can be chosen.
    choice.usable,
    choice.k IS NOT DISTINCT FROM chosen_k AS chosen,
    choice.k IS NOT DISTINCT FROM eigengap_k AS eigengap_choice
FROM tried
ORDER BY choice.k
