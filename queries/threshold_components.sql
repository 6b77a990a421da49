-- name: threshold_components
-- description: Models joined by a chain of pairs whose convexity gap is at most tau (single linkage).
-- param study VARCHAR required: name of the study
-- param tau DOUBLE required: greatest gap of a joined pair, in units of the metric
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'discovery': all, discovery or held-out
-- param metric VARCHAR = 'loss': loss or error
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
WITH RECURSIVE pairs AS (
    SELECT position_a AS a, position_b AS b, convexity_gap AS gap
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'), NULL
    )
),
members AS (SELECT model_id, name, position FROM study_models(getvariable('study'), NULL)),
joined AS (
    SELECT a, b FROM pairs WHERE gap <= getvariable('tau')
    UNION ALL
    SELECT b, a FROM pairs WHERE gap <= getvariable('tau')
),
reached AS (
    SELECT position, position AS origin FROM members
    UNION
    SELECT joined.b, reached.origin FROM reached JOIN joined ON joined.a = reached.position
),
roots AS (SELECT position, min(origin) AS root FROM reached GROUP BY position),
sizes AS (
    SELECT
        root, count(*) AS n_models,
        row_number() OVER (ORDER BY count(*) DESC, root) - 1 AS component
    FROM roots
    GROUP BY root
),
internal AS (
    SELECT ra.root, max(pairs.gap) AS largest
    FROM pairs
    JOIN roots ra ON ra.position = pairs.a
    JOIN roots rb ON rb.position = pairs.b AND rb.root = ra.root
    GROUP BY ra.root
)
SELECT
    members.name AS model, members.position, sizes.component, sizes.n_models,
    internal.largest AS largest_internal_gap, members.model_id
FROM members
JOIN roots USING (position)
JOIN sizes ON sizes.root = roots.root
LEFT JOIN internal ON internal.root = roots.root
ORDER BY sizes.component, members.position
