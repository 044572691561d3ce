"""The recovery rate by its usual definitions, each with its denominator."""

from __future__ import annotations

from django.utils.translation import gettext

from accounts.charts.report import Formula
from accounts.reports.words import money_of, share_of
from cs_platform.lib.formats import DASH, number
from dunning.recovery import Recovery
from dunning.reports.words import with_interval


def formulas(found: Recovery) -> list[Formula]:
    """The same payments by three definitions, each with its denominator."""
    days = DASH if found.median_days is None else number(found.median_days, 1)
    return [
        Formula(
            gettext("Recovery rate"),
            gettext(
                "failed payments that were paid ÷ all payments that failed; cancelling while being dunned, refusals"
                " that cannot be retried and open ones count as not recovered"
            ),
            with_interval(found.recovered, found.failed),
            gettext("Churn Buster's definition; interval: Wilson"),
        ),
        Formula(
            gettext("Recovery rate of retriable refusals"),
            gettext(
                "the same without refusals that a retry cannot mend, as payment providers' own tools count: higher, and"
                " not comparable"
            ),
            share_of(found.retriable_recovered, found.retriable),
            gettext("usual in providers' tools"),
        ),
        Formula(
            gettext("Attempted recovery rate"),
            gettext("paid ÷ failed payments for which a retry, a notice or a person did something"),
            share_of(found.worked_recovered, found.worked),
            gettext("Baremetrics' name for it"),
        ),
        Formula(
            gettext("Settled only"),
            gettext("paid ÷ failed payments whose end is known"),
            share_of(found.recovered, found.settled),
            gettext("convention"),
        ),
        Formula(
            gettext("Median days to the money"),
            gettext("median of the days from the first failure to the payment, of those that were paid"),
            days,
            gettext("convention"),
        ),
    ]


def money_formula(found: Recovery, currency: str) -> Formula:
    """The strict rate in money."""
    return Formula(
        gettext("Money recovered"),
        gettext("money that came back ÷ all money that failed, each at the rate of the day of its failure"),
        money_of(found.recovered_minor, found.amount_minor, currency),
        gettext("Churn Buster's definition"),
    )
