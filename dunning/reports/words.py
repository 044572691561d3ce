"""Names of what the recovery reports count."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.queries.report_context import ReportContext
from accounts.reports.words import share_of
from cs_platform.lib.formats import number, percent
from cs_platform.lib.stats import wilson_interval
from dunning.recovery import Recovery

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


def remarks(found: Recovery, context: ReportContext) -> list[str]:
    """What a reader must know beside the rates: what is still open, and money without a rate."""
    said = []
    if found.open:
        said.append(
            gettext("%(open)s are still open; they count as not recovered until they are.")
            % {"open": share_of(found.open, found.failed)}
        )
    if found.unpriced:
        said.append(
            gettext(
                "%(n)s of the failed payments are in a currency without a rate into %(currency)s for that day: they"
                " are in the counts, not in the amounts."
            )
            % {"n": number(found.unpriced), "currency": context.currency}
        )
    return said
