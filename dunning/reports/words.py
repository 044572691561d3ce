"""Names of what the recovery reports count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.queries.report_context import ReportContext
from accounts.reports.words import share_of
from cs_platform.lib.formats import money, number, percent
from cs_platform.lib.stats import wilson_interval
from dunning.recovery import Recovery, RecoveryFact

CAUSES: Mapping[str, Promise] = {
    "silent_retry": _("Silent retry"),
    "notice": _("Notice"),
    "person": _("A person"),
    "elsewhere": _("Paid elsewhere"),
}
CAUSE_COLOURS = {
    "silent_retry": "--chart-1",
    "notice": "--chart-2",
    "person": "--chart-3",
    "elsewhere": "--chart-4",
}


def nothing_failed() -> str:
    return gettext("No payment failed in these months.")


def with_interval(part: int, whole: int) -> str:
    """A rate with both counts and its 95 % interval (Wilson)."""
    if not whole:
        return share_of(part, whole)
    interval = wilson_interval(part, whole)
    return gettext("%(rate)s, 95%% interval %(low)s–%(high)s") % {
        "rate": share_of(part, whole),
        "low": percent(interval.low, 1),
        "high": percent(interval.high, 1),
    }


def remarks(found: Recovery) -> list[str]:
    """What a reader must know beside the rates."""
    if not found.open:
        return []
    words = gettext("%(open)s are still open; they count as not recovered until they are.")
    return [words % {"open": share_of(found.open, found.failed)}]


def unsettled_weeks(weeks: Sequence[tuple[date, Recovery]]) -> list[str]:
    """Which weeks cannot be compared with the others yet."""
    running = [day for day, one in weeks if not one.is_settled]
    if not running:
        return []
    words = ngettext(
        "The week from %(week)s still has open payments: its bar is not finished, its rate can only rise.",
        "%(n)s weeks, the first of them from %(week)s, still have open payments: their bars are not finished, their"
        " rates can only rise.",
        len(running),
    )
    return [words % {"n": number(len(running)), "week": running[0].isoformat()}]


def without_rate(found: Recovery, context: ReportContext) -> list[str]:
    """Money that is in no sum."""
    if not found.unpriced:
        return []
    return [
        gettext(
            "%(n)s of the failed payments are in a currency without a rate into %(currency)s for that day: they"
            " are in the counts, not in the amounts."
        )
        % {"n": number(found.unpriced), "currency": context.currency}
    ]


def in_own_currencies(facts: Sequence[RecoveryFact], context: ReportContext) -> list[str]:
    """Where several currencies were added up: each of them in its own money."""
    sums: dict[str, list[int]] = {}
    for one in facts:
        own = sums.setdefault(one.currency, [0, 0])
        own[0] += one.own_minor
        own[1] += one.own_recovered_minor if one.is_recovered else 0
    if set(sums) <= {context.currency}:
        return []
    parts = [
        gettext("%(back)s of %(all)s") % {"back": money(back, currency), "all": money(failed, currency)}
        for currency, (failed, back) in sorted(sums.items(), key=lambda item: item[0])
    ]
    words = gettext(
        "Each amount is turned into %(currency)s at the rate of the day of its failure. In their own currencies came back:"
        " %(parts)s."
    )
    return [words % {"currency": context.currency, "parts": "; ".join(parts)}]
