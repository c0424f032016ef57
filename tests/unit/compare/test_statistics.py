"""Expected values come from printed tables, closed forms and counting by hand."""

import math
import random
import statistics
import time

import pytest

from llmctl.compare.statistics import (
    beta_quantile,
    bootstrap,
    finite,
    holm,
    incomplete_beta,
    median,
    p95,
    sign_interval,
    sign_p,
    sign_power,
    t_cdf,
    t_outside,
    t_power,
    t_quantile,
    visible_share,
    visible_shift,
)


def test_what_was_not_measured_is_left_out() -> None:
    assert finite([1.0, None, math.nan, math.inf, -math.inf, 0.0]) == (1.0, 0.0)


def test_the_median_of_few_and_of_none() -> None:
    assert median([]) is None
    assert median([7.0]) == 7.0
    assert median([4.0, 1.0]) == 2.5
    assert median([9.0, 1.0, 2.0]) == 2.0


def test_the_95th_percentile_needs_twenty_values() -> None:
    assert p95(list(range(19))) is None
    assert p95(list(range(20, 0, -1))) == pytest.approx(19.05)  # 0.95 × 19 steps above 1


# ---- the median's interval ---------------------------------------------------------------------


def test_four_values_have_no_interval() -> None:
    assert bootstrap([1.0, 2.0, 3.0, 4.0], random.Random(1)) is None


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        # The middle of 5 is the least of all when 3 or more of the 5 drawn are it:
        # 10 × 0.2³ × 0.8² + 5 × 0.2⁴ × 0.8 + 0.2⁵ = 5.8 %, more than 2.5 %.
        (5, 1, 5),
        # Of 7, 4 or more have to be: 35 × 6³ + 21 × 6² + 7 × 6 + 1 of 7⁷ = 1.0 %, the least two
        # together 10.5 %: the limits are the second and the last but one.
        (7, 2, 6),
        # Of 6 the middle is the mean of the third and the fourth. It is the least of all when 4 or
        # more are: (15 × 5² + 6 × 5 + 1) / 6⁶ = 0.9 %; it is 1.5 when 3 are the least and the next
        # is the second: 20 × (5³ - 4³) / 6⁶ = 2.6 %, together 3.5 %.
        (6, 1.5, 5.5),
    ],
)
def test_the_interval_of_few_values_by_counting(count: int, low: float, high: float) -> None:
    values = [float(value) for value in range(count, 0, -1)]

    assert bootstrap(values, random.Random(3)) == (low, high)


@pytest.mark.parametrize("count", [40, 41])
def test_the_short_way_ends_where_drawing_all_values_does(count: int) -> None:
    chance = random.Random(7)
    values = [float(one) for one in range(count)]
    plain = sorted(statistics.median(chance.choices(values, k=count)) for _one in range(4000))

    found = bootstrap(values, chance)

    assert found is not None
    assert found[0] == pytest.approx(plain[100], abs=1)
    assert found[1] == pytest.approx(plain[3900], abs=1)


def test_an_even_number_has_medians_between_two_values() -> None:
    # Of 0 and 1, three each: a half is the median when as many of both were drawn, 20 of 64.
    values = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]

    assert bootstrap(values, random.Random(1)) == (0.0, 1.0)
    assert bootstrap([3.0] * 6, random.Random(1)) == (3.0, 3.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [random.Random(5).gauss(0, 1) for _one in range(30)]

    assert bootstrap(values, random.Random(1)) == bootstrap(values, random.Random(1))


def test_intervals_of_a_large_comparison_are_quick() -> None:
    """250 values of four models by three metrics; by drawing all values it takes some seconds."""
    chance = random.Random(1)
    values = [chance.lognormvariate(0, 1) for _one in range(250)]
    began = time.process_time()

    for _figure in range(4 * 3):
        bootstrap(values, chance)

    assert time.process_time() - began < 0.7


# ---- distributions -----------------------------------------------------------------------------


def test_the_incomplete_beta_function_by_closed_forms() -> None:
    assert incomplete_beta(0.3, 1, 1) == pytest.approx(0.3, abs=1e-14)
    assert incomplete_beta(0.3, 2, 2) == pytest.approx(3 * 0.3**2 - 2 * 0.3**3, abs=1e-14)
    assert incomplete_beta(0.9, 3, 1) == pytest.approx(0.9**3, abs=1e-14)
    # 5 or more heads of 10: (252 + 210 + 120 + 45 + 10 + 1) / 1024
    assert incomplete_beta(0.5, 5, 6) == pytest.approx(638 / 1024, abs=1e-14)
    assert incomplete_beta(0.5, 900, 900) == pytest.approx(0.5, abs=1e-10)
    assert (incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)) == (0, 1)


def test_a_quantile_of_beta_by_its_closed_form() -> None:
    assert beta_quantile(0.729, 3, 1) == pytest.approx(0.9, abs=1e-12)


@pytest.mark.parametrize(
    ("share", "df", "printed"),
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 4, 2.776),
        (0.975, 9, 2.262),
        (0.975, 19, 2.093),
        (0.975, 30, 2.042),
        (0.975, 120, 1.980),
        (0.995, 9, 3.250),
        (0.9, 5, 1.476),
        (0.9995, 3, 12.924),
        (0.025, 9, -2.262),
        (0.5, 9, 0.0),
    ],
)
def test_quantiles_of_t_as_printed_in_tables(share: float, df: int, printed: float) -> None:
    assert t_quantile(share, df) == pytest.approx(printed, abs=0.0005)


@pytest.mark.parametrize("t", [-30.0, -1.0, 0.0, 0.3, 2.0, 1000.0])
def test_t_with_one_and_two_degrees_of_freedom_by_closed_forms(t: float) -> None:
    assert t_cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-12)
    assert t_cdf(t, 2) == pytest.approx(0.5 + t / 2 / math.sqrt(2 + t * t), abs=1e-12)


def test_both_tails_of_t() -> None:
    assert t_outside(0.0, 5) == 1.0
    assert t_outside(2.262157, 9) == pytest.approx(0.05, abs=1e-7)
    assert 0 < t_outside(1e6, 9) < 1e-40


def test_the_power_of_t_as_documented_for_power_t_test_of_r() -> None:
    # n = 20 in each of two groups, a difference of one standard deviation: power 0.8689528
    assert t_power(math.sqrt(20 / 2), 38) == pytest.approx(0.8689528, abs=1e-7)
    # and for 0.90 n = 22.02110
    assert t_power(math.sqrt(22.02110 / 2), 42.0422) == pytest.approx(0.9, abs=1e-6)
    assert t_power(0.0, 9) == pytest.approx(0.025, abs=1e-9)  # one of the two tails


def test_the_least_shift_that_is_seen_is_seen_in_four_cases_of_five() -> None:
    for df in (2, 4, 9, 249):
        assert t_power(visible_shift(df), df) == pytest.approx(0.8, abs=1e-9)
    # With no end of runs: the quantiles of the normal distribution, 1.95996 + 0.84162.
    assert visible_shift(1e6) == pytest.approx(2.80158, abs=1e-4)
    assert visible_shift(9, 0.05 / 6) > visible_shift(9)


# ---- signs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 5, 1.0),
        (5, 0, 2 / 32),
        (0, 6, 2 / 64),
        (8, 1, 2 * (1 + 9) / 512),
        (3, 9, 2 * (1 + 12 + 66 + 220) / 4096),
        (500, 500, 1.0),
    ],
)
def test_the_sign_test_by_counting(one: int, other: int, p: float) -> None:
    assert sign_p(one, other) == p


def test_a_thousand_of_a_thousand() -> None:
    assert 0 < sign_p(1000, 0) < 1e-300


def test_limits_of_a_share_as_published_and_by_hand() -> None:
    low, high = sign_interval(5, 5)
    assert (round(low, 4), round(high, 4)) == (0.1871, 0.8129)  # Clopper and Pearson, 5 of 10
    assert sign_interval(6, 0) == pytest.approx((0.025 ** (1 / 6), 1.0))
    assert sign_interval(0, 6) == pytest.approx((0.0, 1 - 0.025 ** (1 / 6)))


def test_the_power_of_the_sign_test_by_counting() -> None:
    # Of 6 units all have to differ in the same way, else 2 × (1 + 6) / 64 is too probable.
    assert sign_power(0.5, 0.5, 6) == pytest.approx(0.5**6)
    assert sign_power(0.5, 1.0, 6) == pytest.approx(0.75**6)
    assert sign_power(1.0, 1.0, 5) == 0.0
    assert sign_power(0.0, 0.0, 100) == 0.0


def test_the_least_difference_of_shares_that_is_seen() -> None:
    assert visible_share(0.0, 5) is None
    assert visible_share(0.0, 6) == pytest.approx(0.8 ** (1 / 6), abs=1e-4)
    # With 10 units, 6 that all differ in the same way will do; printed tables of the binomial
    # distribution give 75.15 % for a share of 0.65 and 84.97 % for 0.70.
    found = visible_share(0.0, 10)
    assert found is not None
    assert 0.65 < found < 0.70


def test_many_units_come_close_to_the_formula_of_the_normal_distribution() -> None:
    # Connor (1987): n d² = (1.96 √q + 0.8416 √(q - d²))², here with 30 % of 1,000 that differ.
    found = visible_share(0.3, 1000)

    assert found is not None
    right = (1.95996 * math.sqrt(0.3) + 0.84162 * math.sqrt(0.3 - found**2)) ** 2
    assert 1000 * found**2 == pytest.approx(right, rel=0.05)


# ---- many comparisons --------------------------------------------------------------------------


def test_holm_as_worked_out_in_textbooks() -> None:
    # 0.005 × 4, 0.01 × 3, 0.03 × 2; 0.04 × 1 is less than the one before, which then holds.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_of_one_of_none_and_never_above_one() -> None:
    assert holm([]) == []
    assert holm([0.04]) == [0.04]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
