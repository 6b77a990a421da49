-- AUC of the prediction sets $first to $last whose data set has two labels, as
-- lmc_track.geometry.metrics.auc: how often an example of label 1 has a higher score than one of
-- label 0, ties counted half. NULL where one of the labels does not occur or a score is NaN.
-- One sort of a set by score serves all of its halves: what is counted along it is packed, examples
-- of discovery as units, held-out ones as units of 2^31. With A pairs of which label 0 is at or
-- below label 1, and B of which label 1 is at or below label 0, AUC = (A - B + n) / 2n of n pairs.
INSERT INTO unordered_evaluations
WITH parts AS (
    SELECT data_digest, example_id, 'all' AS subset FROM examples
    UNION ALL
    SELECT data_digest, example_id, subset FROM example_subsets
),
numbered AS (
    SELECT
        data_digest, subset, row_number() OVER () AS part_no,
        count(*) AS n, count(*) FILTER (half = 'discovery') AS n_discovery,
        count(*) FILTER (label = 1) AS n_ones,
        count(*) FILTER (label = 1 AND half = 'discovery') AS n_discovery_ones
    FROM parts JOIN examples USING (data_digest, example_id)
    GROUP BY ALL
),
members AS MATERIALIZED (
    SELECT
        data_digest, example_id, part_no, label = 1 AS is_one, half = 'discovery' AS in_discovery,
        CASE WHEN in_discovery THEN 1 ELSE 2 ** 31 END::BIGINT AS unit
    FROM parts
    JOIN examples USING (data_digest, example_id)
    JOIN numbered USING (data_digest, subset)
    WHERE n_ones BETWEEN 1 AND n - 1
),
scores AS (
    SELECT
        set_no, data_digest, example_id,
        CASE
            WHEN projection IS NULL THEN logits[2]::DOUBLE - logits[1]::DOUBLE
            ELSE list_reduce(
                projected_logits(logits, projection, projection_groups), lambda zero, one: one - zero
            )
        END AS score
    FROM storage.prediction_rows JOIN storage.prediction_sets USING (set_no)
    WHERE set_no BETWEEN $first AND $last AND coalesce(len(projection_groups), len(logits)) = 2
),
counted AS (
    SELECT
        set_no, part_no, is_one, in_discovery, isnan(score) AS is_unknown,
        (sum(CASE WHEN is_one THEN 0 ELSE unit END) OVER up_to_score)::BIGINT AS zeros,
        (sum(CASE WHEN is_one THEN unit ELSE 0 END) OVER up_to_score)::BIGINT AS ones
    FROM scores JOIN members USING (data_digest, example_id)
    WINDOW up_to_score AS (PARTITION BY set_no, part_no ORDER BY score RANGE UNBOUNDED PRECEDING)
),
-- A less B of the pairs that each example is the higher one of, in its half and in the whole.
differences AS (
    SELECT
        set_no, part_no, in_discovery, is_unknown,
        CASE WHEN is_one THEN zeros & 2147483647 ELSE -(ones & 2147483647) END AS discovery,
        CASE WHEN is_one THEN zeros >> 31 ELSE -(ones >> 31) END AS held_out
    FROM counted
),
sums AS (
    SELECT
        set_no, part_no,
        coalesce(bool_or(is_unknown) FILTER (in_discovery), false) AS unknown_discovery,
        coalesce(bool_or(is_unknown) FILTER (NOT in_discovery), false) AS unknown_held_out,
        sum(discovery) FILTER (in_discovery) AS discovery,
        sum(held_out) FILTER (NOT in_discovery) AS held_out,
        sum(discovery + held_out) AS every
    FROM differences
    GROUP BY ALL
),
-- The parts that have no pair are here too: they have no sums, and NULL.
areas AS (
    SELECT set_no, subset, unnest([
        {
            'half': 'all', 'n': n, 'a': n_ones, 'b': n - n_ones,
            'difference': CASE WHEN NOT (unknown_discovery OR unknown_held_out) THEN every END
        },
        {
            'half': 'discovery', 'n': n_discovery, 'a': n_discovery_ones,
            'b': n_discovery - n_discovery_ones,
            'difference': CASE WHEN NOT unknown_discovery THEN discovery END
        },
        {
            'half': 'held-out', 'n': n - n_discovery, 'a': n_ones - n_discovery_ones,
            'b': n - n_discovery - (n_ones - n_discovery_ones),
            'difference': CASE WHEN NOT unknown_held_out THEN held_out END
        }
    ]) AS area
    FROM (SELECT DISTINCT set_no, data_digest FROM scores)
    JOIN numbered USING (data_digest)
    LEFT JOIN sums USING (set_no, part_no)
)
SELECT
    run_id, dataset, subset, area.half, 'auc', precision,
    CASE WHEN area.a > 0 AND area.b > 0
        THEN (area.difference + area.a * area.b)::DOUBLE / (2 * area.a * area.b)::DOUBLE
    END,
    area.n
FROM areas JOIN storage.prediction_sets USING (set_no)
WHERE area.n > 0;
