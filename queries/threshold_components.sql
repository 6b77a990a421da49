-- name: threshold_components
-- description: Models joined by a chain of pairs whose convexity gap is at most tau (single linkage), and by complete linkage.
-- param study VARCHAR required: name of the study
-- param tau DOUBLE = NULL: greatest gap of a joined pair, in units of the metric; the study's own if NULL
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'discovery': all, discovery or held-out; without it all, of imported values
-- param metric VARCHAR = 'error': {gap_metrics}
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- The ends of a chain may be far apart: largest_internal_gap says how far. In a cluster of complete
-- linkage every pair is measured and at most tau. Both are numbered by falling size.
WITH RECURSIVE pairs AS MATERIALIZED (
    SELECT position_a AS a, position_b AS b, convexity_gap AS gap
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'), NULL
    )
),
members AS (SELECT model_id, name, position FROM study_models(getvariable('study'), NULL)),
asked AS (
    SELECT coalesce(
        getvariable('tau'),
        (SELECT tau FROM study_tau(getvariable('study'), getvariable('metric')))
    ) AS tau
),
near_pairs AS MATERIALIZED (
    SELECT a, b, CASE WHEN gap <= tau THEN gap END AS gap FROM pairs CROSS JOIN asked
),
merges AS MATERIALIZED (
    SELECT 'single' AS linkage, a, b FROM linkage_merges('near_pairs', 'single')
    UNION ALL
    SELECT 'complete', a, b FROM linkage_merges('near_pairs', 'complete')
),
-- From every model through the clusters that it became part of.
chains AS (
    SELECT linkage, position, position AS root
    FROM members CROSS JOIN (SELECT unnest(['single', 'complete']) AS linkage)
    UNION ALL
    SELECT c.linkage, c.position, m.a
    FROM chains c JOIN merges m ON m.linkage = c.linkage AND m.b = c.root
),
roots AS (SELECT linkage, position, min(root) AS root FROM chains GROUP BY linkage, position),
sizes AS (
    SELECT
        linkage, root, count(*) AS n_models,
        row_number() OVER (PARTITION BY linkage ORDER BY count(*) DESC, root) - 1 AS number
    FROM roots
    GROUP BY linkage, root
),
internal AS (
    SELECT ra.linkage, ra.root, max(pairs.gap) AS largest
    FROM pairs
    JOIN roots ra ON ra.position = pairs.a
    JOIN roots rb ON rb.position = pairs.b AND rb.root = ra.root AND rb.linkage = ra.linkage
    GROUP BY ra.linkage, ra.root
),
numbered AS (
    SELECT linkage, position, number, n_models, largest
    FROM roots
    JOIN sizes USING (linkage, root)
    LEFT JOIN internal USING (linkage, root)
)
SELECT
    m.name AS model, m.position,
    s.number AS component, s.n_models, s.largest AS largest_internal_gap,
    c.number AS complete_cluster, c.n_models AS complete_n_models,
    c.largest AS complete_largest_gap, m.model_id
FROM members m
JOIN numbered s ON s.position = m.position AND s.linkage = 'single'
JOIN numbered c ON c.position = m.position AND c.linkage = 'complete'
ORDER BY component, m.position
