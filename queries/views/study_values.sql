-- The data sets of a study and their subsets in the order in which results show them.
CREATE MACRO study_subsets(study_name) AS TABLE
WITH ordered AS (
    SELECT
        dataset, role, data_digest,
        CASE role WHEN 'validation' THEN 0 WHEN 'train_sample' THEN 1 ELSE 2 END AS rank
    FROM datasets WHERE study = study_name
),
named AS (
    SELECT data_digest, 'all' AS subset FROM ordered
    UNION
    SELECT data_digest, subset FROM example_subsets
)
SELECT
    dataset, role, subset,
    row_number() OVER (ORDER BY rank, dataset, subset <> 'all', subset) AS place
FROM ordered JOIN named USING (data_digest);

COMMENT ON MACRO TABLE study_subsets IS 'The data sets of a study and their subsets, in order.';

-- One metric of every model on every data set and subset; NULL where it was not evaluated.
CREATE MACRO study_values(
    study_name, half_name, metric_name, precision_name, clustering_name
) AS TABLE
WITH asked AS (
    SELECT coalesce(precision_name, precision) AS precision FROM studies WHERE study = study_name
)
SELECT
    m.model_id, m.name AS model, m.position, m.cluster,
    s.place, s.dataset, s.role, s.subset, e.value, e.n_examples
FROM study_models(study_name, clustering_name) m
CROSS JOIN study_subsets(study_name) s
CROSS JOIN asked
LEFT JOIN evaluations e
    ON e.run_id = m.model_id AND e.dataset = s.dataset AND e.subset = s.subset
    AND e.half = half_name AND e.metric = metric_name AND e.precision = asked.precision;

COMMENT ON MACRO TABLE study_values IS 'One metric of every model on every data set and subset.';
