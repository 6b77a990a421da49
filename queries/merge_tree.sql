-- name: merge_tree
-- description: The minimum spanning tree of the gaps: at which tau which two components become one.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'discovery': all, discovery or held-out; without it all, of imported values
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- A row is a merge of single linkage, by rising tau; model_a and model_b are the pair that joins,
-- first_a and first_b the components' first models in study order. Where missing pairs leave
-- components apart the tree is a forest: the last n_components is above 1. complete_tau is where
-- complete linkage, too, has come down to n_components; NULL where missing pairs keep it from that.
WITH RECURSIVE pairs AS MATERIALIZED (
    SELECT position_a AS a, position_b AS b, chosen_measure(
        getvariable('measure'), convexity_gap, barrier_height, interpolation_instability,
        curve_area, relative_gap, distance_area
    ) AS gap
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'), NULL
    )
),
members AS (SELECT name, position FROM study_models(getvariable('study'), NULL)),
merges AS MATERIALIZED (SELECT * FROM linkage_merges('pairs', 'single')),
complete AS (SELECT step, height FROM linkage_merges('pairs', 'complete')),
-- Every merge that a model takes part in: the next one of the cluster that it is in by then.
-- A cluster keeps its name until it is the b of a merge.
taking_part AS (
    SELECT 0::BIGINT AS step, position, position AS root, false AS in_b FROM members
    UNION ALL
    SELECT next.step, t.position, next.a, next.b = t.root
    FROM taking_part t
    JOIN merges next ON t.root IN (next.a, next.b) AND next.step > t.step
    ANTI JOIN merges sooner
        ON t.root IN (sooner.a, sooner.b) AND sooner.step > t.step AND sooner.step < next.step
),
sizes AS (
    SELECT step, count(*) FILTER (NOT in_b) AS n_a, count(*) FILTER (in_b) AS n_b
    FROM taking_part WHERE step > 0
    GROUP BY step
),
internal AS (
    SELECT ta.step, max(pairs.gap) AS largest, count(*) - count(pairs.gap) AS n_missing
    FROM pairs
    JOIN taking_part ta ON ta.position = pairs.a
    JOIN taking_part tb ON tb.position = pairs.b AND tb.step = ta.step
    WHERE ta.step > 0
    GROUP BY ta.step
)
SELECT
    m.step AS merge, m.height AS tau, ea.name AS model_a, eb.name AS model_b,
    fa.name AS first_a, s.n_a, fb.name AS first_b, s.n_b, s.n_a + s.n_b AS n_models,
    (SELECT count(*) FROM members) - m.step AS n_components,
    i.largest AS largest_internal_gap, i.n_missing AS n_missing_pairs, c.height AS complete_tau
FROM merges m
JOIN sizes s ON s.step = m.step
JOIN internal i ON i.step = m.step
JOIN members ea ON ea.position = m.edge_a
JOIN members eb ON eb.position = m.edge_b
JOIN members fa ON fa.position = m.a
JOIN members fb ON fb.position = m.b
LEFT JOIN complete c ON c.step = m.step
ORDER BY merge
