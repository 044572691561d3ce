"""Stated error rates hold for somebody who looks every night; a planted effect is found as promised."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from cs_platform.lib.stats import rate_difference
from cs_platform.lib.trial_plans import accounts_needed, detectable
from cs_platform.lib.trials import (
    ALPHA,
    MIN_CONTROL,
    POWER,
    Sums,
    Table,
    boundary,
    mantel_haenszel,
    rate_lift,
    ratio_lift,
    sequence_width,
)
from tests.lib.trial_worlds import World, arr_verdicts, rate_verdicts

SIZES = ((100, 0.1), (400, 0.1), (400, 0.2), (200, 0.5), (1000, 0.1))
BASES = (0.95, 0.85, 0.5, 0.1)


def bearable(runs: int) -> float:
    """The stated rate and three standard errors of the simulation."""
    return ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / runs)


def false_positives(verdicts: np.ndarray) -> float:
    """Share of the runs in which some look, on any night, showed a difference that is not there."""
    return float(verdicts.any(axis=1).mean())


@pytest.mark.parametrize("base", BASES)
def test_two_hundred_tests_without_a_difference(base):
    world = World(runs=200, accounts=400, share=0.1, base=base)
    assert false_positives(rate_verdicts(world)) <= bearable(200)
    assert false_positives(arr_verdicts(world)) <= bearable(200)


def test_looking_every_night_without_correction_would_cry_wolf():
    """The simulation sees what the boundary is for: uncorrected, several times the stated rate."""
    world = World(runs=200, accounts=400, share=0.1, base=0.8)
    assert false_positives(rate_verdicts(world, corrected=False)) > 2.5 * ALPHA


@pytest.mark.soak
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("accounts", "share"), SIZES)
def test_a_thousand_tests_without_a_difference(accounts, share, base, record_property):
    world = World(runs=1000, accounts=accounts, share=share, base=base, nights=180)
    for name, verdicts in (("rate", rate_verdicts(world)), ("arr", arr_verdicts(world))):
        record_property(name, found := false_positives(verdicts))
        print(f"{accounts} accounts, {share:.0%} held out, base {base:.0%}, {name}: {found:.1%}")
        assert found <= bearable(1000)


@pytest.mark.parametrize(("accounts", "share", "base"), [(400, 0.5, 0.6), (1000, 0.1, 0.7), (600, 0.2, 0.3)])
def test_a_planted_effect_is_found_with_the_stated_power(accounts, share, base):
    gain = detectable(accounts=accounts, holdout_share=share, base_rate=base)
    world = World(runs=600, accounts=accounts, share=share, base=base, effect=gain, nights=45)
    verdicts = rate_verdicts(world)
    assert verdicts.any(axis=1).mean() >= POWER - 3 * math.sqrt(POWER * (1 - POWER) / 600)
    assert verdicts.any(axis=1).mean() <= 0.95, "the plan asks for far more accounts than it needs"


@pytest.mark.soak
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("base", [0.3, 0.6, 0.7])
def test_the_stated_power_in_a_thousand_runs(share, base):
    gain = detectable(accounts=1000, holdout_share=share, base_rate=base)
    verdicts = rate_verdicts(World(runs=1000, accounts=1000, share=share, base=base, effect=gain))
    found = float(verdicts.any(axis=1).mean())
    print(f"{share:.0%} held out, base {base:.0%}, gain {100 * gain:.1f} points: found in {found:.1%}")
    assert found >= POWER - 3 * math.sqrt(POWER * (1 - POWER) / 1000)


def test_a_view_without_an_end_may_be_looked_at_for_ever():
    """Pooled over experiments: from 30 held out to fifty times that, at every look."""
    rng = np.random.default_rng(5)
    parts = [rng.binomial(n, 0.8, size=(400, 100)).cumsum(axis=1)[..., None] for n in (135, 15)]
    looks = np.arange(1, 101)
    totals = [np.broadcast_to((looks * n)[:, None], parts[0].shape) for n in (135, 15)]
    value, error = mantel_haenszel(parts[0], totals[0], parts[1], totals[1])
    widths = np.array([sequence_width(n * 15 / 150) for n in looks])
    assert false_positives(np.abs(value) > widths * error) <= bearable(400)


def test_the_boundary():
    assert boundary(1.0) == pytest.approx(2.2414, abs=1e-4)
    assert boundary(0.25) == pytest.approx(2 * boundary(1.0))
    assert boundary(7.0) == boundary(1.0), "never narrower than at the planned end"
    assert sequence_width(1.0) == pytest.approx(3.03, abs=0.01)
    assert sequence_width(0.1) > sequence_width(1.0) < sequence_width(10.0)


def test_one_large_stratum_agrees_with_newcombe():
    found = rate_lift([Table(850, 1000, 780, 1000)], 1.959964)
    other = rate_difference(850, 1000, 780, 1000)
    assert found is not None and found.is_decided
    assert found.value == pytest.approx(0.07, abs=1e-3)
    assert (found.interval.low, found.interval.high) == pytest.approx((other.low, other.high), abs=2e-3)


def test_strata_keep_a_difference_of_mix_apart_from_a_difference_of_treatment():
    """Simpson: in both strata the treated do 10 points better, though the sums say they do worse."""
    tables = [Table(60, 300, 10, 100), Table(90, 100, 240, 300)]
    assert sum(t.treated_hits for t in tables) / 400 < sum(t.control_hits for t in tables) / 400
    found = rate_lift(tables, 1.96)
    assert found is not None and found.value == pytest.approx(0.10, abs=5e-3) and found.is_decided


def test_too_few_held_out_say_nothing():
    assert rate_lift([Table(90, 90, 0, MIN_CONTROL - 1)], 2.0) is None
    assert rate_lift([Table(10, 20, 0, 0), Table(0, 0, 10, 20)], 2.0) is None
    assert rate_lift([], 2.0) is None
    empty = Sums(0, 0, 0, 0, 0, 0)
    assert ratio_lift(empty, empty, 2.0) is None


def test_arr_kept_is_a_ratio_of_sums():
    def sums(pairs):
        before, after = np.array(pairs, dtype=float).T
        return Sums(
            before.size,
            before.sum(),
            after.sum(),
            (before**2).sum(),
            (before * after).sum(),
            (after**2).sum(),
        )

    treated, control = [(100, 100)] * 18 + [(1000, 900)] * 2, [(100, 100)] * 15 + [(100, 0)] * 5
    found = ratio_lift(sums(treated), sums(control), 2.24)
    assert found is not None and found.value == pytest.approx(3600 / 3800 - 0.75)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_size_for_a_gain_and_the_gain_for_a_size_agree(share):
    needed = accounts_needed(gain=0.05, holdout_share=share, base_rate=0.85)
    assert detectable(accounts=needed, holdout_share=share, base_rate=0.85) <= 0.05
    assert detectable(accounts=needed - 1, holdout_share=share, base_rate=0.85) > 0.05


def test_a_plan_needs_about_what_the_textbook_says():
    """86 to 88.8 % in two equal arms: 2,200 each at 1.96 errors (facts sheet), a fifth more for the looks."""
    needed = accounts_needed(gain=0.028, holdout_share=0.5, base_rate=0.86)
    fixed = (1.96 + NormalDist().inv_cdf(0.8)) ** 2 * (0.86 * 0.14 + 0.888 * 0.112) / 0.028**2
    assert 1.1 < needed / (2 * fixed) < 1.3
