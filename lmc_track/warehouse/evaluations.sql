-- The evaluations of the prediction sets $first to $last, as lmc_track.geometry.metrics computes
-- them and without AUC, into a table that is put in order later: so many rows at once that they stay in memory.
-- The predicted label is the first of the largest logits, which are projected where the data set has
-- labels of its own. Losses are added as whole multiples of
-- 2^-40 nats, so that their sum does not depend on the order in which threads add them; a loss
-- that is not finite leaves the mean NULL.
INSERT INTO unordered_evaluations
WITH parts AS (
    SELECT data_digest, example_id, 'all' AS subset FROM examples
    UNION ALL
    SELECT data_digest, example_id, subset FROM example_subsets
),
members AS (
    SELECT data_digest, example_id, subset, half FROM parts JOIN examples USING (data_digest, example_id)
),
guesses AS (
    SELECT
        set_no, example_id, label,
        CASE
            WHEN projection IS NULL THEN predicted_label(logits)
            ELSE predicted_label(projected_logits(logits, projection, projection_groups))
        END AS predicted,
        coalesce(len(projection_groups), len(logits)) AS n_labels,
        CASE WHEN isfinite(loss) THEN TRY_CAST(round(loss::DOUBLE * 2 ** 40) AS BIGINT) END AS loss_units
    FROM storage.prediction_rows JOIN storage.prediction_sets USING (set_no)
    WHERE set_no BETWEEN $first AND $last
),
cells AS (
    SELECT
        set_no, subset, half, label, predicted,
        count(*) AS n,
        count(loss_units) AS n_finite,
        sum(loss_units) AS loss_units,
        max(n_labels) AS n_labels
    FROM guesses
    JOIN storage.prediction_sets USING (set_no)
    JOIN members USING (data_digest, example_id)
    GROUP BY ALL
),
halves(half, part) AS (
    VALUES ('all', 'discovery'), ('all', 'held-out'),
           ('discovery', 'discovery'), ('held-out', 'held-out')
),
confusion AS (
    SELECT
        set_no, subset, halves.half, label, predicted,
        sum(n)::BIGINT AS n,
        sum(n_finite)::BIGINT AS n_finite,
        sum(loss_units) AS loss_units,
        max(n_labels) AS n_labels
    FROM cells JOIN halves ON halves.part = cells.half
    GROUP BY ALL
),
totals AS (
    SELECT
        set_no, subset, half,
        sum(n)::BIGINT AS n,
        sum(n_finite)::BIGINT AS n_finite,
        sum(loss_units)::DOUBLE / 2 ** 40 AS loss,
        sum(CASE WHEN label = predicted THEN n ELSE 0 END)::DOUBLE AS hits,
        max(n_labels) AS n_labels
    FROM confusion
    GROUP BY ALL
),
margins AS (
    SELECT set_no, subset, half, k, sum(truly)::DOUBLE AS truly, sum(said)::DOUBLE AS said
    FROM (
        SELECT set_no, subset, half, label AS k, n AS truly, 0 AS said FROM confusion
        UNION ALL
        SELECT set_no, subset, half, predicted, 0, n FROM confusion
    )
    GROUP BY ALL
),
-- All of these are whole numbers, exact in a DOUBLE, so their order does not matter either.
products AS (
    SELECT
        set_no, subset, half,
        sum(truly * said) AS truly_said,
        sum(truly * truly) AS truly_truly,
        sum(said * said) AS said_said,
        sum(CASE WHEN k = 1 THEN truly + said ELSE 0 END) AS ones
    FROM margins
    GROUP BY ALL
),
-- Of every label that occurs the share that is right.
recalls AS (
    SELECT set_no, subset, half, label, sum(CASE WHEN label = predicted THEN n ELSE 0 END) / sum(n) AS recall
    FROM confusion
    GROUP BY ALL
),
balanced AS (
    SELECT set_no, subset, half, list_sum(list(recall ORDER BY label)) / count(*) AS balanced_accuracy
    FROM recalls
    GROUP BY ALL
),
hits_of_1 AS (
    SELECT set_no, subset, half, sum(n)::DOUBLE AS hits_of_1
    FROM confusion WHERE label = 1 AND predicted = 1
    GROUP BY ALL
),
measured AS (
    SELECT
        set_no, subset, half, n, n_labels,
        CASE WHEN n_finite = n THEN loss / n END AS loss,
        hits / n AS accuracy,
        (n - hits) / n AS error,
        (n::DOUBLE * n - said_said) * (n::DOUBLE * n - truly_truly) AS spread,
        CASE WHEN spread > 0 THEN (hits * n - truly_said) / sqrt(spread) ELSE 0 END AS matthews_correlation,
        CASE WHEN ones > 0 THEN 2 * coalesce(hits_of_1, 0) / ones ELSE 0 END AS f1,
        balanced_accuracy
    FROM totals
    JOIN products USING (set_no, subset, half)
    JOIN balanced USING (set_no, subset, half)
    LEFT JOIN hits_of_1 USING (set_no, subset, half)
),
long AS (
    SELECT set_no, subset, half, n, n_labels, unnest([
        {'metric': 'loss', 'value': loss},
        {'metric': 'accuracy', 'value': accuracy},
        {'metric': 'error', 'value': error},
        {'metric': 'matthews_correlation', 'value': matthews_correlation},
        {'metric': 'f1', 'value': f1},
        {'metric': 'balanced_accuracy', 'value': balanced_accuracy}
    ]) AS measure
    FROM measured
)
SELECT run_id, dataset, subset, half, measure.metric, precision, measure.value, n
FROM long JOIN storage.prediction_sets USING (set_no)
WHERE measure.metric <> 'f1' OR n_labels = 2;
