-- The logits of an evaluation set's own labels, as lmc_track.tasks.projection: of every group of
-- the model's logits the largest, or the logarithm of the sum of exponentials; the logits
-- themselves where `projection` is NULL.
CREATE MACRO log_sum_exp(logits) AS CASE
    WHEN isfinite(list_max(logits))
        THEN list_max(logits) + ln(list_sum(list_transform(logits, lambda x: exp(x - list_max(logits)))))
    ELSE list_max(logits)
END;

COMMENT ON MACRO log_sum_exp IS 'Logarithm of the sum of exponentials, without overflow.';

CREATE MACRO projected_logits(logits, projection, groups) AS CASE projection
    WHEN 'max' THEN list_transform(
        groups, lambda part: list_max(list_transform(part, lambda k: logits[k + 1]::DOUBLE))
    )
    WHEN 'logsumexp' THEN list_transform(
        groups, lambda part: log_sum_exp(list_transform(part, lambda k: logits[k + 1]::DOUBLE))
    )
    ELSE logits::DOUBLE[]
END;

COMMENT ON MACRO projected_logits IS 'The logits of an evaluation set''s own labels.';

-- The label that logits stand for: the first of the largest, as in evaluations.
CREATE MACRO predicted_label(logits) AS list_position(logits, list_max(logits)) - 1;

COMMENT ON MACRO predicted_label IS 'The label that logits stand for: the first of the largest.';
