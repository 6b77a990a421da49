-- The merges of agglomerative clustering, by height. `source` names a table of the distances of
-- all pairs, with the columns a, b and gap; `linkage` is single or complete. The distance of two
-- clusters is that of their nearest pair of members (single) or of their farthest (complete); the
-- two nearest clusters are merged until none are left, or the pairs between those that are left
-- are missing: a missing pair joins nothing in single linkage and keeps apart in complete linkage.
-- A cluster is named by its smallest member: `b`, the larger name, becomes part of `a`. The pair
-- (edge_a, edge_b) is the one whose distance is the height; of single linkage these pairs are the
-- minimum spanning tree (Gower and Ross 1969). Of equal distances the smallest a, then b, is first.
CREATE MACRO linkage_merges(source, linkage) AS TABLE
WITH RECURSIVE distances AS (
    SELECT
        0 AS step, a, b,
        {'gap': coalesce(gap, 'inf'::DOUBLE), 'edge_a': a, 'edge_b': b} AS pair
    FROM query_table(source)
    UNION ALL
    -- The new cluster's distances are the smaller or the larger ones of its two parts (Lance and
    -- Williams 1967).
    SELECT step, a, b, CASE linkage WHEN 'single' THEN min(pair) ELSE max(pair) END
    FROM (
        SELECT
            d.step + 1 AS step, d.pair,
            least(
                CASE d.a WHEN m.b THEN m.a ELSE d.a END, CASE d.b WHEN m.b THEN m.a ELSE d.b END
            ) AS a,
            greatest(
                CASE d.a WHEN m.b THEN m.a ELSE d.a END, CASE d.b WHEN m.b THEN m.a ELSE d.b END
            ) AS b
        FROM distances d
        CROSS JOIN (
            SELECT a, b FROM distances
            WHERE pair.gap < 'inf'
            ORDER BY pair.gap, a, b LIMIT 1
        ) m
    )
    WHERE a < b
    GROUP BY step, a, b
)
SELECT
    (step + 1)::BIGINT AS step, nearest.pair.gap AS height, nearest.a AS a, nearest.b AS b,
    nearest.pair.edge_a AS edge_a, nearest.pair.edge_b AS edge_b
FROM (
    SELECT step, min({'gap': pair.gap, 'a': a, 'b': b, 'pair': pair}) AS nearest
    FROM distances
    GROUP BY step
)
WHERE nearest.pair.gap < 'inf';

COMMENT ON MACRO TABLE linkage_merges IS 'Merges of single or complete linkage over a table of a, b, gap.';
