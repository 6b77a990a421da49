-- How alike every two models of a study answer on an evaluation set: the share of examples on which
-- they give the same label, and the mean over examples of the Jensen-Shannon divergence of their
-- label distributions (Lin 1991), in nats: 0 for equal ones, ln 2 at most. position_a is before
-- position_b. A pair of which a model was not evaluated has no row. `precision_name` NULL is the
-- study's own precision.
CREATE MACRO study_similarity(
    study_name, dataset_name, subset_name, half_name, precision_name
) AS TABLE
-- A row a model, example and label.
WITH shares AS MATERIALIZED (
    SELECT
        position, example_id, label, shares[label + 1] AS share, predicted = label AS is_predicted
    FROM (
        SELECT
            position, example_id, predicted, softmax(logits) AS shares,
            unnest(range(len(logits))) AS label
        FROM study_predictions(
            study_name, dataset_name, subset_name, half_name, precision_name
        )
    )
),
of_models AS (
    SELECT position, sum(CASE WHEN share > 0 THEN -share * ln(share) END) AS entropy
    FROM shares
    GROUP BY position
),
of_pairs AS (
    SELECT
        a.position AS position_a, b.position AS position_b,
        count(*) FILTER (a.label = 0) AS n_examples,
        count(*) FILTER (a.is_predicted AND b.is_predicted) AS n_agreeing,
        sum(CASE WHEN a.share + b.share > 0 THEN
            -(a.share + b.share) / 2 * ln((a.share + b.share) / 2)
        END) AS entropy
    FROM shares a
    JOIN shares b
        ON b.example_id = a.example_id AND b.label = a.label AND a.position < b.position
    GROUP BY a.position, b.position
),
-- The divergence is the entropy of the mean distribution less the mean entropy of the two.
measured AS (
    SELECT
        p.*, (p.entropy - (a.entropy + b.entropy) / 2) / p.n_examples AS divergence
    FROM of_pairs p
    JOIN of_models a ON a.position = p.position_a
    JOIN of_models b ON b.position = p.position_b
)
SELECT
    position_a, position_b, n_examples, n_agreeing / n_examples AS agreement,
    CASE WHEN isfinite(divergence) THEN greatest(divergence, 0) END AS js_divergence
FROM measured;

COMMENT ON MACRO TABLE study_similarity IS 'How alike every two models answer on an evaluation set.';
