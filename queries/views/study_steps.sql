-- The models of a study and the checkpoints on the way to them. `cluster` is that of the model that
-- the training ended with. `step_number` counts the steps at which checkpoints were kept, the ends
-- last; models of one step_number are compared with each other. `number` counts all models by
-- step_number and study order.
CREATE MACRO step_models(study_name, clustering_name) AS TABLE
SELECT
    m.model_id, m.name AS model, e.name AS training, m.position, e.cluster,
    m.checkpoint_of IS NULL AS is_end,
    CASE WHEN m.checkpoint_of IS NULL THEN max(m.step) OVER ends ELSE m.step END AS step,
    dense_rank() OVER (
        ORDER BY m.checkpoint_of IS NULL, CASE WHEN m.checkpoint_of IS NOT NULL THEN m.step END
    ) AS step_number,
    row_number() OVER (
        ORDER BY m.checkpoint_of IS NULL, CASE WHEN m.checkpoint_of IS NOT NULL THEN m.step END,
            m.position
    ) AS number
FROM models m
JOIN study_models(study_name, clustering_name) e ON e.name = coalesce(m.checkpoint_of, m.name)
WHERE m.study = study_name
WINDOW ends AS (PARTITION BY m.checkpoint_of IS NULL);

COMMENT ON MACRO TABLE step_models IS 'The models of a study and the checkpoints on the way to them.';

-- Every unordered pair of models of one step_number, with the gap of the path between them on which
-- the whole network moves; NULL where there is no path, or an incomplete one.
CREATE MACRO step_pairs(
    study_name, dataset_name, subset_name, half_name, metric_name, precision_name, clustering_name
) AS TABLE
WITH members AS (SELECT * FROM step_models(study_name, clustering_name)),
asked AS (
    SELECT coalesce(precision_name, precision) AS precision FROM studies WHERE study = study_name
),
asked_paths AS (
    SELECT p.* FROM paths p JOIN asked ON asked.precision = p.precision
    WHERE p.study = study_name AND p.modules = 'all'
),
measured AS (
    SELECT path_id, convexity_gap FROM barriers
    WHERE study = study_name AND dataset = dataset_name AND subset = subset_name
        AND half = half_name AND metric = metric_name
)
SELECT
    a.step_number, a.number AS number_a, b.number AS number_b,
    a.model AS model_a, b.model AS model_b,
    a.cluster AS cluster_a, b.cluster AS cluster_b, a.cluster = b.cluster AS same_cluster,
    m.convexity_gap AS gap, p.path_id
FROM members a
JOIN members b ON b.step_number = a.step_number AND a.position < b.position
LEFT JOIN asked_paths p ON p.model_a_id = a.model_id AND p.model_b_id = b.model_id
LEFT JOIN measured m ON m.path_id = p.path_id;

COMMENT ON MACRO TABLE step_pairs IS 'Every pair of models of one training step with its gap.';

-- Where every model of every step belongs by the gaps of its own step, which `source` names as a
-- table of step_number, a, b (as numbered by step_models) and gap. Components are joined by chains
-- of gaps of at most tau, complete clusters have no larger gap inside; both are numbered within
-- their step by falling size. The nearest cluster is the one, of those that the trainings ended in, to whose other members the mean
-- gap is least: own_gap is that to the own one's, other_gap the least to another's.
CREATE MACRO step_memberships(source, study_name, clustering_name, tau_value) AS TABLE
WITH RECURSIVE members AS MATERIALIZED (SELECT * FROM step_models(study_name, clustering_name)),
near_pairs AS MATERIALIZED (
    SELECT a, b, CASE WHEN gap <= tau_value THEN gap END AS gap FROM query_table(source)
),
merges AS MATERIALIZED (
    SELECT 'single' AS linkage, a, b FROM linkage_merges('near_pairs', 'single')
    UNION ALL
    SELECT 'complete', a, b FROM linkage_merges('near_pairs', 'complete')
),
chains AS (
    SELECT linkage, number, number AS root
    FROM members CROSS JOIN (SELECT unnest(['single', 'complete']) AS linkage)
    UNION ALL
    SELECT c.linkage, c.number, m.a
    FROM chains c JOIN merges m ON m.linkage = c.linkage AND m.b = c.root
),
roots AS (
    SELECT linkage, step_number, c.number, min(root) AS root
    FROM chains c JOIN members USING (number)
    GROUP BY ALL
),
sizes AS (
    SELECT
        linkage, step_number, root,
        row_number() OVER (PARTITION BY linkage, step_number ORDER BY count(*) DESC, root) - 1
            AS place
    FROM roots
    GROUP BY linkage, step_number, root
),
placed AS (
    SELECT
        r.number, any_value(s.place) FILTER (linkage = 'single') AS component,
        any_value(s.place) FILTER (linkage = 'complete') AS complete_cluster
    FROM roots r JOIN sizes s USING (linkage, step_number, root)
    GROUP BY r.number
),
to_others AS (
    SELECT a AS number, b AS other, gap FROM query_table(source)
    UNION ALL
    SELECT b, a, gap FROM query_table(source)
),
to_clusters AS (
    SELECT t.number, o.cluster, avg(gap) AS gap
    FROM to_others t JOIN members o ON o.number = t.other
    WHERE o.cluster IS NOT NULL
    GROUP BY t.number, o.cluster
    HAVING count(gap) = count(*)
),
nearest AS (
    SELECT
        t.number, min({'gap': t.gap, 'cluster': t.cluster}).cluster AS nearest_cluster,
        any_value(t.gap) FILTER (t.cluster = m.cluster) AS own_gap,
        min(t.gap) FILTER (t.cluster <> m.cluster) AS other_gap
    FROM to_clusters t JOIN members m ON m.number = t.number
    GROUP BY t.number
)
SELECT
    m.*, CASE WHEN tau_value IS NOT NULL THEN p.component END AS component,
    CASE WHEN tau_value IS NOT NULL THEN p.complete_cluster END AS complete_cluster,
    -- A model that ended up alone has no members of its own cluster to be near to.
    CASE WHEN n.own_gap IS NOT NULL THEN n.nearest_cluster END AS nearest_cluster,
    n.own_gap, n.other_gap
FROM members m
LEFT JOIN placed p USING (number)
LEFT JOIN nearest n USING (number);

COMMENT ON MACRO TABLE step_memberships IS 'Where every model of every step belongs by the gaps of that step.';
