-- name: datasets
-- description: The evaluation sets of a study, their halves, groups and subsets.
-- param study VARCHAR required: name of the study
WITH counted AS (
    SELECT
        data_digest,
        count(*) FILTER (half = 'discovery') AS n_discovery,
        count(*) FILTER (half = 'held-out') AS n_held_out,
        count(DISTINCT group_id) AS n_groups
    FROM examples
    GROUP BY data_digest
),
named AS (
    SELECT dataset, list(subset ORDER BY subset) AS subsets
    FROM study_subsets(getvariable('study')) WHERE subset <> 'all'
    GROUP BY dataset
)
SELECT
    d.dataset, d.role, d.n_examples, c.n_discovery, c.n_held_out, c.n_groups,
    coalesce(n.subsets, []::VARCHAR[]) AS subsets, d.data_digest, d.source,
    d.projection, d.drawn, d.n_source
FROM datasets d
JOIN study_subsets(getvariable('study')) s ON s.dataset = d.dataset AND s.subset = 'all'
LEFT JOIN counted c ON c.data_digest = d.data_digest
LEFT JOIN named n ON n.dataset = d.dataset
WHERE d.study = getvariable('study')
ORDER BY s.place
