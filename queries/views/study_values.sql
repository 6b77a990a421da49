-- The data sets of a study and their subsets in the order in which results show them.
CREATE MACRO study_subsets(study_name) AS TABLE
WITH ordered AS (
    SELECT
        dataset, role, data_digest, coalesce(values_only, false) AS values_only,
        CASE role WHEN 'validation' THEN 0 WHEN 'train_sample' THEN 1 ELSE 2 END AS rank
    FROM datasets WHERE study = study_name
),
named AS (
    SELECT dataset, 'all' AS subset FROM ordered
    UNION
    SELECT dataset, subset FROM ordered JOIN example_subsets USING (data_digest)
    UNION
    SELECT i.dataset, i.subset
    FROM imported_values i JOIN models m ON m.model_id = i.run_id
    WHERE m.study = study_name
)
SELECT
    dataset, role, subset, values_only,
    row_number() OVER (ORDER BY rank, dataset, subset <> 'all', subset) AS place
FROM ordered JOIN named USING (dataset);

COMMENT ON MACRO TABLE study_subsets IS 'The data sets of a study and their subsets, in order.';

-- One metric of every model on every data set and subset; NULL where it was not evaluated. Sets of
-- which only values are known have no halves: theirs are those of all examples, whatever is asked.
CREATE MACRO study_values(
    study_name, half_name, metric_name, precision_name, clustering_name
) AS TABLE
WITH asked AS (
    SELECT coalesce(precision_name, precision) AS precision FROM studies WHERE study = study_name
)
SELECT
    m.model_id, m.name AS model, m.position, m.cluster,
    s.place, s.dataset, s.role, s.subset,
    CASE WHEN s.values_only THEN 'all' ELSE half_name END AS half,
    e.value, e.n_examples
FROM study_models(study_name, clustering_name) m
CROSS JOIN study_subsets(study_name) s
CROSS JOIN asked
LEFT JOIN evaluations e
    ON e.run_id = m.model_id AND e.dataset = s.dataset AND e.subset = s.subset
    AND e.half = CASE WHEN s.values_only THEN 'all' ELSE half_name END
    AND e.metric = metric_name AND e.precision = asked.precision;

COMMENT ON MACRO TABLE study_values IS 'One metric of every model on every data set and subset.';
