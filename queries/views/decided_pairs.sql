-- The tolerance of a study: the greatest gap of a connected pair, in units of the metric. That of
-- its newest threshold clustering by this metric, else of its study file. Without either it is .02
-- for the error. For the loss it is then what a calibrated model of two outcomes loses when its
-- error rises by the tolerance in error from that of the study's models, h the binary entropy:
-- h(error + tau) - h(error), on held-out validation examples (of values alone, on all).
CREATE MACRO binary_entropy(p_value) AS
CASE
    WHEN p_value <= 0 OR p_value >= 1 THEN 0
    ELSE -p_value * ln(p_value) - (1 - p_value) * ln(1 - p_value)
END;

COMMENT ON MACRO binary_entropy IS 'Entropy of an outcome of probability p, nats.';

CREATE MACRO study_tau(study_name, metric_name) AS TABLE
WITH the_study AS (SELECT study, precision, study_file FROM studies WHERE study = study_name),
clustered AS (
    SELECT
        coalesce(settings ->> '$.metric', 'loss') AS metric,
        TRY_CAST(settings ->> '$.tau' AS DOUBLE) AS tau
    FROM clusterings
    WHERE study = study_name AND method = 'threshold'
    ORDER BY created DESC, clustering_id DESC
    LIMIT 1
),
given AS (
    SELECT
        coalesce(
            (SELECT tau FROM clustered WHERE metric = 'error'),
            TRY_CAST(study_file ->> '$.cluster.tau_error' AS DOUBLE), 0.02
        ) AS error,
        coalesce(
            (SELECT tau FROM clustered WHERE metric = 'loss'),
            TRY_CAST(study_file ->> '$.cluster.tau' AS DOUBLE)
        ) AS loss
    FROM the_study
),
erring AS (
    SELECT e.half, avg(e.value) AS error
    FROM the_study s
    JOIN models m ON m.study = s.study AND m.checkpoint_of IS NULL AND m.left_out IS NULL
    JOIN evaluations e
        ON e.run_id = m.model_id AND e.precision = s.precision AND e.dataset = 'validation'
        AND e.subset = 'all' AND e.half IN ('all', 'held-out') AND e.metric = 'error'
    GROUP BY e.half
    ORDER BY e.half = 'held-out' DESC
    LIMIT 1
)
SELECT
    CASE metric_name
        WHEN 'error' THEN g.error
        ELSE coalesce(
            g.loss,
            -- From beyond one half the entropy falls, which is not what more errors cost.
            round(
                binary_entropy(least(e.error, 0.5 - g.error) + g.error)
                - binary_entropy(least(e.error, 0.5 - g.error)),
                6
            )
        )
    END AS tau
FROM given g LEFT JOIN erring e ON true;

COMMENT ON MACRO TABLE study_tau IS 'The tolerance of a study, in units of the metric.';

-- The probability with which the k-th of the bounds in gap_bounds fails, k from 1; 1 for none.
CREATE MACRO bound_tail(k_value) AS
CASE WHEN k_value > 0 THEN pow(10, -(k_value + 2) / 8) ELSE 1 END;

COMMENT ON MACRO bound_tail IS 'The probability with which the k-th bound of a gap fails.';

-- Every unordered pair of a study's models with what can be said of its gap at tau, as
-- lmc_track.analysis.decisions defines it. `tau_value` NULL is the study's own tolerance. A pair
-- without bounds has NULL where they would be, and does not count among the others.
CREATE MACRO decided_pairs(
    study_name, dataset_name, metric_name, modules_name, precision_name, clustering_name,
    tau_value, q_value
) AS TABLE
WITH asked AS (
    SELECT coalesce(tau_value, (SELECT tau FROM study_tau(study_name, metric_name))) AS tau
),
pairs AS (
    SELECT * FROM study_pairs(
        study_name, dataset_name, 'all', 'held-out', metric_name, modules_name, precision_name,
        clustering_name
    )
),
sided AS (
    SELECT
        b.*, tau,
        coalesce(bound_tail(len(list_filter(lowers, lambda bound: bound > tau))), 1) AS p_separated,
        bound_tail(len(list_filter(uppers, lambda bound: bound <= tau))) AS p_connected,
        least(1, 2 * least(p_separated, p_connected)) AS p
    FROM gap_bounds b SEMI JOIN pairs USING (path_id) CROSS JOIN asked
    WHERE b.dataset = dataset_name AND b.metric = metric_name AND tau IS NOT NULL
),
-- Benjamini and Yekutieli's step-up, whatever the dependence between the pairs.
ranked AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY p, path_id) AS rank FROM sided),
penalty AS (
    SELECT
        sum(1 / rank) * count(*) AS m,
        -- Which bound is the first to fail so seldom that a pair by itself is decided where all
        -- others are.
        greatest(1, least(
            54, ceil(-8 * log10(q_value / (2 * sum(1 / rank))))::INTEGER - 2
        )) AS needed
    FROM ranked
),
adjusted AS (
    SELECT
        *,
        least(1, min(p * m / rank) OVER (ORDER BY rank DESC)) AS p_adjusted
    FROM ranked CROSS JOIN penalty
),
decided AS (
    SELECT
        *,
        CASE
            WHEN p_adjusted <= q_value AND p_separated < p_connected THEN 'separated'
            WHEN p_adjusted <= q_value AND p_connected < p_separated THEN 'connected'
            ELSE 'undecided'
        END AS decision
    FROM adjusted
),
-- How many examples would decide, as lmc_track.analysis.decisions.examples_needed derives it.
today AS (
    SELECT
        *, tau - height AS short,
        n_examples * (uppers[needed] - height) - 2 * jump / 3 AS room,
        sqrt(n_examples * variance + jump ** 2) AS root
    FROM decided
),
quantiles AS (
    SELECT
        *,
        CASE
            WHEN root > 0 AND short > 0
                THEN 2 * room / (root + sqrt(root ** 2 + 4 * jump * room / 3))
        END AS z
    FROM today
),
terms AS (
    SELECT
        *, jump * (z ** 2 + 2) / 3 AS counted,
        2 * short * counted + z ** 2 * variance AS b
    FROM quantiles
),
foreseen AS (
    SELECT
        *,
        CASE
            WHEN short > 0
                THEN (b + sqrt(b ** 2 - 4 * short ** 2 * (counted ** 2 - (z * jump) ** 2)))
                    / (2 * short ** 2)
        END AS n_to_connect,
        CASE
            WHEN estimate > tau
                THEN n_examples * ((estimate - lowers[needed]) / (estimate - tau)) ** 2
        END AS n_to_separate
    FROM terms
)
SELECT
    p.model_a, p.model_b, p.position_a, p.position_b, p.cluster_a, p.cluster_b, p.same_cluster,
    p.convexity_gap, a.estimate, a.standard_error, a.lower, a.upper, asked.tau,
    CASE
        WHEN a.lower > a.tau AND a.upper > a.tau THEN 'separated'
        WHEN a.upper <= a.tau AND a.lower <= a.tau THEN 'connected'
        WHEN a.path_id IS NOT NULL THEN 'undecided'
    END AS reading,
    a.p_separated, a.p_connected, a.p, a.p_adjusted, a.decision, a.unit, a.n_units, a.n_examples,
    CASE
        WHEN a.decision = 'undecided' AND coalesce(a.n_to_connect, a.n_to_separate) IS NOT NULL
            THEN greatest(a.n_examples, ceil(least(a.n_to_connect, a.n_to_separate)))
    END AS n_needed,
    p.path_id
FROM pairs p
CROSS JOIN asked
LEFT JOIN foreseen a ON a.path_id = p.path_id;

COMMENT ON MACRO TABLE decided_pairs IS 'Every pair of models: separated, connected or undecided.';
