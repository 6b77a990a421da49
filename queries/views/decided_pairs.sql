-- The tolerance of a study in nats: of its newest threshold clustering, else of its study file,
-- else the least relative gap's share of what the models gained over chance on held-out
-- validation examples. NULL where they gained nothing.
CREATE MACRO study_tau(study_name) AS TABLE
WITH the_study AS (SELECT study, precision, study_file FROM studies WHERE study = study_name),
clustered AS (
    SELECT TRY_CAST(settings ->> '$.tau' AS DOUBLE) AS tau
    FROM clusterings
    WHERE study = study_name AND method = 'threshold'
    ORDER BY created DESC, clustering_id DESC
    LIMIT 1
),
gained AS (
    SELECT any_value(h.entropy) - avg(e.value) AS headroom
    FROM the_study s
    JOIN models m ON m.study = s.study AND m.checkpoint_of IS NULL
    JOIN evaluations e
        ON e.run_id = m.model_id AND e.precision = s.precision AND e.dataset = 'validation'
        AND e.subset = 'all' AND e.half = 'held-out' AND e.metric = 'loss'
    JOIN label_entropies h
        ON h.study = s.study AND h.dataset = e.dataset AND h.subset = e.subset AND h.half = e.half
)
SELECT coalesce(
    (SELECT tau FROM clustered),
    TRY_CAST(study_file ->> '$.cluster.tau' AS DOUBLE),
    round(
        TRY_CAST(study_file ->> '$.cluster.least_relative_gap' AS DOUBLE)
        * (SELECT headroom FROM gained WHERE headroom > 0),
        6
    )
) AS tau
FROM the_study;

COMMENT ON MACRO TABLE study_tau IS 'The tolerance of a study in nats.';

-- Every unordered pair of a study's models with what can be said of its gap at tau nats, as
-- lmc_track.analysis.decisions defines it. `tau_value` NULL is the study's own tolerance. A pair
-- without bounds has NULL where they would be, and does not count among the others.
CREATE MACRO decided_pairs(
    study_name, dataset_name, modules_name, precision_name, clustering_name, tau_value, q_value
) AS TABLE
WITH asked AS (SELECT coalesce(tau_value, (SELECT tau FROM study_tau(study_name))) AS tau),
pairs AS (
    SELECT * FROM study_pairs(
        study_name, dataset_name, 'all', 'held-out', 'loss', modules_name, precision_name,
        clustering_name
    )
),
bounded AS (
    SELECT
        b.*, tau,
        CASE
            WHEN standard_error > 0 THEN (estimate - tau) / standard_error
            WHEN estimate > tau THEN 'infinity'::DOUBLE
            ELSE '-infinity'::DOUBLE
        END AS t_separated,
        -- The widest band, in standard errors, in which every curve has a gap of at most tau.
        list_min(list_transform(range(1, len(line_heights) + 1), lambda i:
            CASE
                WHEN line_errors[i] > 0 THEN (tau - line_heights[i]) / line_errors[i]
                WHEN line_heights[i] <= tau THEN 'infinity'::DOUBLE
                ELSE '-infinity'::DOUBLE
            END)) AS t_connected
    FROM gap_bounds b SEMI JOIN pairs USING (path_id) CROSS JOIN asked
    WHERE b.dataset = dataset_name AND tau IS NOT NULL
),
-- In a step of its own, or the lambda would find t_connected anew for every draw.
counted AS (
    SELECT *, len(list_filter(max_t, lambda draw: draw >= t_connected)) AS reached FROM bounded
),
drawn AS (
    SELECT
        *,
        student_tail(t_separated, (n_held_out_units - 1)::DOUBLE) AS p_separated,
        CASE WHEN reached < len(max_t) THEN (1 + reached) / (1 + n_draws) ELSE 1 END AS share,
        2 * n_uncertain * student_tail(t_connected, (n_units - 1)::DOUBLE) AS union_bound
    FROM counted
),
sided AS (
    SELECT
        *,
        CASE
            WHEN t_connected < 0 THEN 1
            WHEN reached < 10 THEN least(share, union_bound)
            ELSE share
        END AS p_connected,
        least(1, 2 * least(p_separated, p_connected)) AS p
    FROM drawn
),
-- Benjamini and Yekutieli's step-up, whatever the dependence between the pairs.
ranked AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY p, path_id) AS rank FROM sided),
penalty AS (SELECT sum(1 / rank) * count(*) AS m FROM ranked),
adjusted AS (
    SELECT
        *,
        least(1, min(p * m / rank) OVER (ORDER BY rank DESC)) AS p_adjusted
    FROM ranked CROSS JOIN penalty
)
SELECT
    p.model_a, p.model_b, p.position_a, p.position_b, p.cluster_a, p.cluster_b, p.same_cluster,
    p.convexity_gap, a.estimate, a.standard_error, a.lower, a.upper, asked.tau,
    CASE
        WHEN a.lower > a.tau AND a.upper > a.tau THEN 'separated'
        WHEN a.upper <= a.tau AND a.lower <= a.tau THEN 'connected'
        WHEN a.path_id IS NOT NULL THEN 'undecided'
    END AS reading,
    a.p_separated, a.p_connected, a.p, a.p_adjusted,
    CASE
        WHEN a.p_adjusted <= q_value AND a.p_separated < a.p_connected THEN 'separated'
        WHEN a.p_adjusted <= q_value AND a.p_connected < a.p_separated THEN 'connected'
        WHEN a.path_id IS NOT NULL THEN 'undecided'
    END AS decision,
    a.unit, a.n_units, p.path_id
FROM pairs p
CROSS JOIN asked
LEFT JOIN adjusted a ON a.path_id = p.path_id;

COMMENT ON MACRO TABLE decided_pairs IS 'Every pair of models: separated, connected or undecided.';
