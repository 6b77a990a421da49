-- name: cluster_agreement
-- description: How far every two clusterings of a study agree, over the models in both.
-- param study VARCHAR required: name of the study
-- The newer clustering is a. Of the pairs of models: together in both clusterings, in one only, apart in both. The adjusted
-- Rand index is 1 for the same division and 0 on average for random ones (Hubert and Arabie 1985).
WITH ordered AS (
    SELECT
        clustering_id, method, n_clusters,
        row_number() OVER (ORDER BY created DESC, clustering_id DESC) AS place
    FROM clusterings WHERE study = getvariable('study')
),
asked AS (SELECT a.place AS pa, b.place AS pb FROM ordered a JOIN ordered b ON a.place < b.place),
placed AS (SELECT place, model_id, cluster FROM clusters JOIN ordered USING (clustering_id)),
contingency AS (
    SELECT a.place AS pa, b.place AS pb, a.cluster AS ca, b.cluster AS cb, count(*) AS n
    FROM placed a JOIN placed b ON b.model_id = a.model_id AND a.place < b.place
    GROUP BY ALL
),
rows_of AS (
    SELECT pa, pb, sum(n * (n - 1) // 2) AS pairs
    FROM (SELECT pa, pb, sum(n) AS n FROM contingency GROUP BY pa, pb, ca)
    GROUP BY ALL
),
columns_of AS (
    SELECT pa, pb, sum(n * (n - 1) // 2) AS pairs
    FROM (SELECT pa, pb, sum(n) AS n FROM contingency GROUP BY pa, pb, cb)
    GROUP BY ALL
),
cells AS (
    SELECT pa, pb, sum(n) AS n_models, sum(n * (n - 1) // 2) AS together
    FROM contingency
    GROUP BY ALL
),
counted AS (
    SELECT
        pa, pb, coalesce(n_models, 0)::BIGINT AS n_models,
        coalesce(together, 0)::BIGINT AS together,
        coalesce(r.pairs - together, 0)::BIGINT AS only_in_a,
        coalesce(c.pairs - together, 0)::BIGINT AS only_in_b,
        (n_models * (n_models - 1) // 2 - together - only_in_a - only_in_b)::BIGINT AS apart
    FROM asked
    LEFT JOIN cells USING (pa, pb)
    LEFT JOIN rows_of r USING (pa, pb)
    LEFT JOIN columns_of c USING (pa, pb)
)
SELECT
    a.method AS method_a, a.n_clusters AS n_clusters_a,
    b.method AS method_b, b.n_clusters AS n_clusters_b,
    n_models, together, only_in_a, only_in_b, apart,
    CASE WHEN n_models > 1 THEN
        (together + apart) / (together + only_in_a + only_in_b + apart)
    END AS rand,
    CASE
        WHEN n_models < 2 THEN NULL
        WHEN only_in_a = 0 AND only_in_b = 0 THEN 1
        ELSE 2 * (together::DOUBLE * apart - only_in_a::DOUBLE * only_in_b) / (
            (together + only_in_a)::DOUBLE * (only_in_a + apart)
            + (together + only_in_b)::DOUBLE * (only_in_b + apart)
        )
    END AS adjusted_rand,
    a.clustering_id AS clustering_a, b.clustering_id AS clustering_b
FROM counted
JOIN ordered a ON a.place = pa
JOIN ordered b ON b.place = pb
ORDER BY pa, pb
