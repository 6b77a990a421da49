-- Entropy of the label distribution: the loss of knowing only how frequent the labels are.
CREATE VIEW label_entropies AS
WITH parts AS (
    SELECT data_digest, example_id, 'all' AS subset FROM examples
    UNION ALL
    SELECT data_digest, example_id, subset FROM example_subsets
),
counts AS (
    SELECT data_digest, subset, part.half, label, count(*) AS n
    FROM parts
    JOIN examples USING (data_digest, example_id),
    LATERAL (SELECT unnest(['all', examples.half]) AS half) part
    GROUP BY ALL
),
lists AS (
    SELECT data_digest, subset, half, list(n ORDER BY label) AS numbers, sum(n)::DOUBLE AS total
    FROM counts
    GROUP BY ALL
)
SELECT
    study, dataset, subset, half,
    list_sum(list_transform(numbers, lambda n: -(n / total) * ln(n / total))) AS entropy
FROM lists
JOIN datasets USING (data_digest);

COMMENT ON VIEW label_entropies IS 'The loss of knowing only how frequent the labels are.';
COMMENT ON COLUMN label_entropies.study IS 'name of the study';
COMMENT ON COLUMN label_entropies.dataset IS 'name of the set';
COMMENT ON COLUMN label_entropies.subset IS 'part of it; all';
COMMENT ON COLUMN label_entropies.half IS 'all, discovery or held-out';
COMMENT ON COLUMN label_entropies.entropy IS 'entropy of the label distribution, nats';
