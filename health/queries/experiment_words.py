"""An experiment's result in plain sentences. Differences are percentage points, treatment minus holdout."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cs_platform.lib.formats import MINUS, money_short, number, percent
from cs_platform.lib.stats import Interval
from cs_platform.lib.trials import Estimate
from health.models import Experiment, Goal
from health.queries.bands import band_word
from health.queries.experiment_results import Arm, Pooled, Result, Verdict

VERDICT_WORDS: dict[str, str | Promise] = {
    Verdict.TOO_EARLY: _("Too early to say"),
    Verdict.BETTER: _("It helped"),
    Verdict.WORSE: _("It did harm"),
    Verdict.NO_DIFFERENCE: _("No difference found"),
    Verdict.UNDECIDED: _("Stopped undecided"),
}
VERDICT_TONES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}
GOAL_SHARES: dict[str, str | Promise] = {
    Goal.RETAINED: _("share that are still customers"),
    Goal.ARR_KEPT: _("share that stayed with at least the same ARR"),
    Goal.EXPANDED: _("share that stayed with more ARR"),
}
THIRDS: dict[str, str | Promise] = {"1": _("smaller ARR"), "2": _("middle ARR"), "3": _("larger ARR")}


def points(difference: float, digits: int = 1) -> str:
    """A difference of rates as signed percentage points, without the unit."""
    sign = "+" if difference > 0 else MINUS if difference < 0 else ""
    return sign + number(abs(100 * difference), digits)


def interval_words(interval: Interval) -> str:
    """The interval of a difference: "−1.2 to +8.4 points"."""
    if interval.low <= -1 and interval.high >= 1:
        return gettext("anything is possible")
    values = {"low": points(interval.low), "high": points(interval.high)}
    return gettext("%(low)s to %(high)s points") % values


def share_words(arm: Arm) -> str:
    """A rate with its denominator: "91.2% (124 of 136)"."""
    if arm.rate is None:
        return gettext("no outcome yet")
    values = {"share": percent(arm.rate, 1), "hits": number(arm.hits), "all": number(arm.settled)}
    return gettext("%(share)s (%(hits)s of %(all)s)") % values


def stratum_words(stratum: str) -> str:
    """ "red:3" as "Red, larger ARR"."""
    band, _sep, third = stratum.partition(":")
    return gettext("%(band)s, %(third)s") % {
        "band": band_word(band) or gettext("No score"),
        "third": THIRDS.get(third, third),
    }


def reading(experiment: Experiment, result: Result) -> str:
    """What the result says, in one or two sentences. Never a gain without its interval."""
    if result.verdict in (Verdict.TOO_EARLY, Verdict.UNDECIDED):
        return _not_yet(experiment, result)
    lift = result.lift
    assert lift is not None  # every other verdict stands on one
    values = {
        "treated": percent(result.treated.rate, 1),
        "control": percent(result.control.rate, 1),
        "points": number(abs(100 * lift.value), 1),
        "interval": interval_words(lift.interval),
    }
    if result.verdict == Verdict.NO_DIFFERENCE:
        return (
            gettext(
                "The plan is complete and shows no difference: %(treated)s of the treated reached the goal,"
                " %(control)s of the held out. The true difference is likely within %(interval)s."
            )
            % values
        )
    if result.verdict == Verdict.BETTER:
        return (
            gettext(
                "%(treated)s of the treated reached the goal, %(control)s of the held out:"
                " %(points)s points more, with a 95 %% interval of %(interval)s."
            )
            % values
        )
    return (
        gettext(
            "%(treated)s of the treated reached the goal, %(control)s of the held out:"
            " %(points)s points fewer, with a 95 %% interval of %(interval)s."
        )
        % values
    )


def _not_yet(experiment: Experiment, result: Result) -> str:
    values = {"settled": number(result.settled), "planned": number(experiment.planned_accounts)}
    if not experiment.is_running:
        return (
            gettext(
                "It was stopped with %(settled)s of %(planned)s planned outcomes, before it showed anything."
            )
            % values
        )
    if not result.settled:
        return gettext("No window is over yet. Outcomes count from the end of each account's window on.")
    text = gettext("%(settled)s of %(planned)s planned outcomes are known.") % values
    if result.lift is not None:
        more = gettext("What is known so far leaves open: %(interval)s.")
        return f"{text} {more % {'interval': interval_words(result.lift.interval)}}"
    return f"{text} " + gettext("Too few of them were held out to compare.")


def pooled_reading(found: Pooled) -> str:
    """All experiments of a goal in one sentence."""
    words = ngettext("%(n)d experiment", "%(n)d experiments", found.experiments) % {"n": found.experiments}
    if found.lift is None:
        return gettext("%(experiments)s together: too few accounts were held out to compare.") % {
            "experiments": words
        }
    values = {"experiments": words, "interval": interval_words(found.lift.interval)}
    if found.verdict == Verdict.TOO_EARLY:
        return gettext("%(experiments)s together: too early to say, %(interval)s.") % values
    values["points"] = points(found.lift.value)
    return gettext("%(experiments)s together: %(points)s points, 95 %% interval %(interval)s.") % values


def arr_words(result: Result, currency: str) -> str:
    """What the difference in ARR kept is in money for the treated; always with its interval."""
    lift: Estimate | None = result.arr_lift
    if lift is None:
        return gettext("Too few held-out accounts with ARR to compare money.")
    base = result.treated.arr_before
    values = {
        "low": _signed(lift.interval.low * base, currency),
        "high": _signed(lift.interval.high * base, currency),
        "base": money_short(round(base), currency),
    }
    if not lift.is_decided:
        return (
            gettext("Between %(low)s and %(high)s of the %(base)s ARR treated: too early to say which.")
            % values
        )
    values["money"] = _signed(lift.value * base, currency)
    return (
        gettext("%(money)s ARR of the %(base)s treated, with a 95 %% interval of %(low)s to %(high)s.")
        % values
    )


def _signed(amount: float, currency: str) -> str:
    return ("+" if amount > 0 else "") + money_short(round(amount), currency)


def plan_reading(experiment: Experiment) -> str:
    """What the plan promised before the start."""
    plan = experiment.plan
    values = {
        "planned": number(experiment.planned_accounts),
        "points": number(100 * plan["detectable"], 1),
        "base": percent(plan["base_rate"], 0),
        "day": date_format(experiment.started_at),
    }
    text = gettext(
        "With %(planned)s accounts a gain of %(points)s points is found in 8 of 10 such experiments"
        " (without it %(base)s reach the goal)."
    )
    if plan["detectable"] > 1 - plan["base_rate"]:
        text = gettext(
            "With %(planned)s accounts only a gain of %(points)s points would be found in 8 of 10 such"
            " experiments, more than there is room for (without it %(base)s reach the goal). Read it together"
            " with others."
        )
    return text % values
