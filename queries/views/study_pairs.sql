-- Every unordered pair of a study's models with the measures of its path; NULL where there is no
-- path, or an incomplete one. `precision_name` NULL is the study's own precision.
CREATE MACRO study_pairs(
    study_name, dataset_name, subset_name, half_name, metric_name, modules_name, precision_name,
    clustering_name
) AS TABLE
WITH members AS (SELECT * FROM study_models(study_name, clustering_name)),
asked AS (
    SELECT coalesce(precision_name, precision) AS precision FROM studies WHERE study = study_name
),
asked_paths AS (
    SELECT p.* FROM paths p JOIN asked ON asked.precision = p.precision
    WHERE p.study = study_name AND p.modules = modules_name
),
measured AS (
    SELECT * FROM barriers
    WHERE study = study_name AND dataset = dataset_name AND subset = subset_name
        AND half = half_name AND metric = metric_name
)
SELECT
    a.name AS model_a, b.name AS model_b,
    a.position AS position_a, b.position AS position_b,
    a.cluster AS cluster_a, b.cluster AS cluster_b,
    a.cluster = b.cluster AS same_cluster,
    m.convexity_gap, m.barrier_height, m.interpolation_instability, m.curve_area, m.relative_gap,
    -- The area over the length of the path in weights, as Juneja et al. 2023 take it.
    m.curve_area * p.l2_distance AS distance_area,
    m.support, m.n_points, p.l2_distance, p.cosine, p.path_id
FROM members a
JOIN members b ON a.position < b.position
LEFT JOIN asked_paths p ON p.model_a_id = a.model_id AND p.model_b_id = b.model_id
LEFT JOIN measured m ON m.path_id = p.path_id;

COMMENT ON MACRO TABLE study_pairs IS 'Every unordered pair of models with the measures of its path.';

-- One of the measures by its name.
CREATE MACRO chosen_measure(
    measure_name, convexity_gap, barrier_height, interpolation_instability, curve_area,
    relative_gap, distance_area
) AS
CASE measure_name
    WHEN 'convexity_gap' THEN convexity_gap
    WHEN 'barrier_height' THEN barrier_height
    WHEN 'interpolation_instability' THEN interpolation_instability
    WHEN 'curve_area' THEN curve_area
    WHEN 'relative_gap' THEN relative_gap
    WHEN 'distance_area' THEN distance_area
END;

COMMENT ON MACRO chosen_measure IS 'One of the measures by its name.';
