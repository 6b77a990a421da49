-- name: run_cost
-- description: Wall time of a study's runs by kind, in seconds; points are parts of their paths.
-- param study VARCHAR required: name of the study
-- A point's seconds are its path's, shared equally among the path's points, so the total counts
-- models and paths only. Runs whose time is not on record are in n_runs but not in n_timed.
WITH counted AS (
    SELECT path_id, count(*) AS n_points FROM points WHERE study = getvariable('study')
    GROUP BY path_id
),
runs AS (
    SELECT 'models' AS kind, seconds, true AS counts FROM models
    WHERE study = getvariable('study')
    UNION ALL
    SELECT 'paths', seconds, true FROM paths WHERE study = getvariable('study')
    UNION ALL
    SELECT 'planes', seconds, true FROM planes WHERE study = getvariable('study')
    UNION ALL
    SELECT 'points', p.seconds / c.n_points, false
    FROM points JOIN paths p USING (path_id) JOIN counted c USING (path_id)
    WHERE p.study = getvariable('study')
),
grouped AS (
    SELECT kind, seconds FROM runs
    UNION ALL
    SELECT 'total', seconds FROM runs WHERE counts
)
SELECT
    kind, count(*) AS n_runs, count(seconds) AS n_timed, sum(seconds) AS total_seconds,
    avg(seconds) AS mean_seconds, median(seconds) AS median_seconds, max(seconds) AS max_seconds
FROM grouped
GROUP BY kind
ORDER BY list_position(['models', 'paths', 'points', 'planes', 'total'], kind)
