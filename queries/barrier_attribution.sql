-- name: barrier_attribution
-- description: The subsets, labels and sentences that carry the barrier between clusters, on held-out examples.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param level VARCHAR = NULL: subset, label or example; all three if NULL
-- param limit INTEGER = 10: how many examples, those that carry most
-- param cluster_a INTEGER = NULL: only pairs with a model of this cluster
-- param cluster_b INTEGER = NULL: and the other model of this one; of any other cluster if NULL
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- Without cluster_a and cluster_b: the pairs between clusters, or all pairs where there is at most
-- one cluster. Pairs whose discovery gap is 0 have no barrier to attribute, and a pair with a
-- prediction that is not finite is left out, so that every mean is over the same n_pairs.
WITH members AS (SELECT * FROM study_models(getvariable('study'), getvariable('clustering'))),
asked AS (
    SELECT
        coalesce(getvariable('precision'), precision) AS precision,
        getvariable('cluster_a')::INTEGER AS one, getvariable('cluster_b')::INTEGER AS other,
        (SELECT count(DISTINCT cluster) FROM members) AS n_clusters
    FROM studies WHERE study = getvariable('study')
),
pairs AS (
    SELECT p.path_id, least(a.cluster, b.cluster) AS low, greatest(a.cluster, b.cluster) AS high
    FROM paths p
    JOIN asked ON asked.precision = p.precision
    JOIN members a ON a.model_id = p.model_a_id
    JOIN members b ON b.model_id = p.model_b_id
    WHERE p.study = getvariable('study') AND p.modules = getvariable('modules')
        AND CASE
            WHEN one IS NULL AND other IS NULL THEN n_clusters < 2 OR a.cluster <> b.cluster
            WHEN one IS NULL OR other IS NULL
                THEN a.cluster <> b.cluster AND coalesce(one, other) IN (a.cluster, b.cluster)
            ELSE (a.cluster, b.cluster) IN ((one, other), (other, one))
        END
),
attributed AS (
    SELECT path_id, example_id, excess, departure, averaging
    FROM attributions SEMI JOIN pairs USING (path_id)
    WHERE dataset = getvariable('dataset')
),
parts AS (
    SELECT * FROM attributed
    ANTI JOIN (SELECT DISTINCT path_id FROM attributed WHERE excess IS NULL) USING (path_id)
),
-- What the pairs lose at the point, by subset; less the excess this is the height of the chord.
at_the_point AS (
    SELECT c.subset, avg(c.value) AS loss
    FROM (SELECT DISTINCT path_id FROM parts)
    JOIN barriers b USING (path_id)
    JOIN curves c ON c.path_id = b.path_id AND c.dataset = b.dataset AND c.alpha = b.support.alpha
    WHERE b.dataset = getvariable('dataset') AND b.subset = 'all' AND b.half = 'discovery'
        AND b.metric = 'loss' AND c.metric = 'loss' AND c.half = 'held-out'
    GROUP BY c.subset
),
the_examples AS (
    SELECT e.data_digest, e.example_id, e.label, e.text
    FROM examples e JOIN datasets d USING (data_digest)
    WHERE d.study = getvariable('study') AND d.dataset = getvariable('dataset')
        AND e.half = 'held-out'
),
-- Every pair has the same examples, so means over pairs may be taken first.
per_example AS (
    SELECT
        example_id, count(*) AS n_pairs, avg(excess) AS excess, avg(departure) AS departure,
        avg(averaging) AS averaging, avg((excess > 0)::INTEGER) AS positive
    FROM parts
    GROUP BY example_id
),
-- What a row is about, and its examples.
named AS (
    SELECT 0 AS place, 'subset' AS level, 'all' AS subset, NULL AS label, NULL AS row_id, example_id
    FROM the_examples
    UNION ALL
    SELECT 0, 'subset', subset, NULL, NULL, example_id
    FROM the_examples JOIN example_subsets USING (data_digest, example_id)
    UNION ALL
    SELECT 1, 'label', 'all', label, NULL, example_id FROM the_examples
    UNION ALL
    SELECT 2, 'example', NULL, label, example_id, example_id FROM the_examples
),
measured AS (
    SELECT
        place, level, subset, label, row_id AS example_id,
        count(*) AS n_examples, any_value(n_pairs) AS n_pairs,
        avg(excess) AS mean_excess, avg(departure) AS mean_departure,
        avg(averaging) AS mean_averaging, avg(positive) AS share_positive
    FROM named JOIN per_example USING (example_id)
    GROUP BY ALL
),
ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY place
        ORDER BY
            level = 'subset' AND subset = 'all' DESC, mean_excess * n_examples DESC,
            subset, label, example_id
    ) AS rank
    FROM measured
),
total AS (
    SELECT
        count(*) AS n_examples, sum(excess) AS excess,
        -- Shares of what can hardly be told from 0 would say nothing.
        avg(excess) > 2 * stddev_samp(excess) / sqrt(count(*)) AS stands_out
    FROM per_example
)
SELECT
    m.level, m.subset,
    coalesce(d.label_names[m.label + 1], s.label_names[m.label + 1], m.label::VARCHAR) AS label,
    m.example_id, e.text, m.n_examples, m.n_pairs,
    m.mean_excess, m.mean_departure, m.mean_averaging,
    CASE WHEN m.level = 'subset' THEN h.loss - m.mean_excess END AS mean_chord,
    CASE WHEN t.stands_out THEN m.mean_excess * m.n_examples / t.excess END AS share,
    m.n_examples / t.n_examples AS share_of_examples,
    m.share_positive
FROM ranked m
CROSS JOIN total t
JOIN studies s ON s.study = getvariable('study')
JOIN datasets d ON d.study = s.study AND d.dataset = getvariable('dataset')
LEFT JOIN the_examples e ON e.example_id = m.example_id
LEFT JOIN at_the_point h ON h.subset = m.subset
WHERE m.level = coalesce(getvariable('level'), m.level)
    AND (m.level <> 'example' OR rank <= coalesce(getvariable('limit'), rank))
ORDER BY m.place, m.rank
