-- name: barrier_matrix
-- description: One measure of all pairs as a symmetric matrix; holes are NULL.
-- param study VARCHAR required: name of the study
-- param dataset VARCHAR = 'validation': evaluation set
-- param subset VARCHAR = 'all': part of the evaluation set; all is the whole
-- param half VARCHAR = 'all': all, discovery or held-out
-- param metric VARCHAR = 'loss': {gap_metrics}
-- param modules VARCHAR = 'all': modules that move along the path
-- param precision VARCHAR = NULL: precision of the evaluations; the study's own if NULL
-- param clustering VARCHAR = NULL: id or method; the newest of the study's method if NULL
-- param measure VARCHAR = 'convexity_gap': column of barrier_pairs
-- param order VARCHAR = 'cluster': cluster, study, validation or diagnostic (worst first), or dataset:subset:metric
-- Orders by what models score take the half and the precision of the gaps.
WITH pairs AS (
    SELECT model_a, model_b, chosen_measure(
        getvariable('measure'), convexity_gap, barrier_height, interpolation_instability,
        curve_area, relative_gap, distance_area
    ) AS value
    FROM study_pairs(
        getvariable('study'), getvariable('dataset'), getvariable('subset'), getvariable('half'),
        getvariable('metric'), getvariable('modules'), getvariable('precision'),
        getvariable('clustering')
    )
),
cells AS (
    SELECT model_a AS model, model_b AS other, value FROM pairs
    UNION ALL
    SELECT model_b, model_a, value FROM pairs
    UNION ALL
    SELECT name, name, 0 FROM study_models(getvariable('study'), getvariable('clustering'))
)
SELECT m.name AS model, m.cluster, wide.* EXCLUDE (row_name)
FROM (
    PIVOT (SELECT model AS row_name, other, value FROM cells)
    ON other IN (
        SELECT name FROM ordered_models(
            getvariable('study'), getvariable('clustering'), getvariable('order'),
            getvariable('half'), getvariable('precision')
        )
        ORDER BY place
    )
    USING any_value(value)
) wide
JOIN ordered_models(
    getvariable('study'), getvariable('clustering'), getvariable('order'), getvariable('half'),
    getvariable('precision')
) m ON m.name = wide.row_name
ORDER BY m.place
