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

-- What every model of a study, earlier checkpoints included, scores by one metric: NULL where it
-- was not evaluated. `score_name` is dataset:subset:metric, or `validation` for the task's metric on
-- validation, or `diagnostic` for the study's primary diagnostic. More `merit` is better.
CREATE MACRO study_scores(study_name, score_name, half_name, precision_name) AS TABLE
WITH asked AS (
    SELECT
        string_split(CASE score_name
            WHEN 'validation' THEN 'validation:all:' || metric
            WHEN 'diagnostic' THEN primary_diagnostic
            ELSE score_name
        END, ':') AS named,
        coalesce(precision_name, precision) AS precision
    FROM studies WHERE study = study_name
),
known AS (
    SELECT e.run_id, e.value
    FROM asked a
    JOIN evaluations e
        ON e.dataset = a.named[1] AND e.subset = a.named[2] AND e.metric = a.named[3]
        AND e.precision = a.precision
    LEFT JOIN datasets d ON d.study = study_name AND d.dataset = e.dataset
    WHERE e.half = CASE WHEN coalesce(d.values_only, false) THEN 'all' ELSE half_name END
)
SELECT
    m.model_id, m.name AS model, k.value,
    CASE WHEN x.lower_is_better THEN -k.value ELSE k.value END AS merit
FROM models m
CROSS JOIN asked a
LEFT JOIN metrics x ON x.metric = a.named[3]
LEFT JOIN known k ON k.run_id = m.model_id
WHERE m.study = study_name;

COMMENT ON MACRO TABLE study_scores IS 'What every model and checkpoint scores by one metric.';

-- The models of a study in an order: `cluster`, `study`, or by a score of study_scores, the worst
-- first; those without a cluster or a score last, and then in study order.
CREATE MACRO ordered_models(
    study_name, clustering_name, order_name, half_name, precision_name
) AS TABLE
SELECT
    m.model_id, m.name, m.position, m.cluster, s.value,
    row_number() OVER (
        ORDER BY CASE WHEN order_name = 'cluster' THEN m.cluster END NULLS LAST,
            s.merit NULLS LAST, m.position
    ) AS place
FROM study_models(study_name, clustering_name) m
JOIN study_scores(study_name, order_name, half_name, precision_name) s USING (model_id);

COMMENT ON MACRO TABLE ordered_models IS 'The models of a study in an order.';

-- The n_value best, middle and worst models by a score (Juneja et al. 2023 take five of a hundred);
-- fewer where the three groups would overlap. Of equal scores the first in study order counts as
-- the worse one. Models without a score are in no group.
CREATE MACRO performance_groups(
    study_name, score_name, half_name, precision_name, clustering_name, n_value
) AS TABLE
WITH ranked AS (
    SELECT
        *, row_number() OVER (ORDER BY place) - 1 AS rank, count(*) OVER () AS n_models,
        least(n_value, n_models // 3) AS n, n_models // 2 - n // 2 AS first_middle
    FROM ordered_models(study_name, clustering_name, score_name, half_name, precision_name)
    WHERE value IS NOT NULL
)
SELECT
    CASE
        WHEN rank >= n_models - n THEN 'best'
        WHEN rank < n THEN 'worst'
        ELSE 'middle'
    END AS performance,
    rank + 1 AS rank, model_id, name, position, cluster, value
FROM ranked
WHERE rank < n OR rank >= n_models - n OR (rank >= first_middle AND rank < first_middle + n);

COMMENT ON MACRO TABLE performance_groups IS 'The best, middle and worst models by a score.';
