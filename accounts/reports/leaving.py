"""Why customers left, by number and by revenue."""

from __future__ import annotations

from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.charts import Chart, pie_chart
from accounts.charts.report import Formula, ReportBody
from accounts.models import CancellationReason
from accounts.queries.leaving import NOT_GIVEN, UNPAID, reasons_of_ends
from accounts.queries.report_context import ReportContext
from accounts.reports.words import money_of, share_of, sheet_money, span
from accounts.revenue.steps import Kind
from cs_platform.lib.formats import money, number

REASON_WORDS: dict[str, str | Promise] = {
    **{reason.value: reason.label for reason in CancellationReason},
    UNPAID: _("Payment failed"),
    NOT_GIVEN: _("No reason given"),
}


def leaving_report(context: ReportContext) -> ReportBody:
    """Ends that took an account's last MRR, by the reason of the cancellation."""
    found, period = context.steps, context.period
    here = (found.kind == Kind.CHURN) & (found.at >= period.start) & (found.at < period.boundaries[-1])
    if not here.any():
        return ReportBody(empty=gettext("No customer left in this period."))
    ids = context.ledger.accounts[found.account[here]].tolist()
    start, end = period.instants
    reasons = reasons_of_ends(ids, start=start, end=end + timedelta(microseconds=1))
    counts: dict[str, list[int]] = {}
    for account_id, at, amount in zip(ids, found.at[here].tolist(), found.delta[here].tolist(), strict=True):
        row = counts.setdefault(reasons.get((account_id, at), NOT_GIVEN), [0, 0])
        row[0] += 1
        row[1] -= amount
    ranked = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    names = [reason_word(reason) for reason, _row in ranked]
    all_ends, all_minor = len(ids), sum(row[1] for _reason, row in ranked)
    texts = [share_of(row[0], all_ends) for _reason, row in ranked]
    rows = [
        [name, share_of(row[0], all_ends), money_of(row[1], all_minor, context.currency)]
        for name, (_reason, row) in zip(names, ranked, strict=True)
    ]
    reading = gettext("%(name)s leads: %(share)s of the customers that left (%(span)s and since).") % {
        "name": names[0],
        "share": texts[0],
        "span": span(period),
    }
    if not period.has_running:
        reading = gettext("%(name)s leads: %(share)s of the customers that left (%(span)s).") % {
            "name": names[0],
            "share": texts[0],
            "span": span(period),
        }
    figure = pie_chart(names, [row[0] for _reason, row in ranked], texts)
    headers = [gettext("Reason"), gettext("Ends"), gettext("MRR lost")]
    return ReportBody(
        charts=[Chart("report-leaving", gettext("Why customers left"), reading, figure, headers, rows)],
        formulas=[
            Formula(
                gettext("Share of a reason"),
                gettext(
                    "ends with this reason ÷ all ends that took an account’s last MRR; an account that left twice counts twice"
                ),
                gettext("%(ends)s ends, together %(mrr)s of MRR")
                % {"ends": number(all_ends), "mrr": money(all_minor, context.currency)},
                gettext("reasons as Stripe names them"),
            )
        ],
        headers=["reason", "ends", f"lost_mrr_{context.currency}"],
        sheet=[
            [reason or "not_given", row[0], sheet_money(row[1], context.currency)] for reason, row in ranked
        ],
    )


def reason_word(reason: str) -> str:
    """The reason in words; an own one of the workspace as it is."""
    return str(REASON_WORDS.get(reason, reason.replace("_", " ").capitalize()))
