"""Recovery by segment, plan, country, card brand and kind of refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.translation import gettext

from accounts.charts import Chart, Series, bar_chart
from accounts.charts.report import ReportBody
from accounts.queries.report_context import ReportContext
from accounts.reports.words import money_of, points, share_of, sheet_money
from cs_platform.lib.formats import DASH, number
from dunning.policy.classes import CLASS_WORDS, DeclineClass
from dunning.queries.pay_methods import brand_name
from dunning.queries.recoveries import recoveries
from dunning.recovery import Recovery, RecoveryFact, by_group, recovery
from dunning.reports.definitions import formulas
from dunning.reports.words import nothing_failed

Groups = Sequence[tuple[str, Recovery]]
MOST_BARS = 12


def class_report(context: ReportContext) -> ReportBody:
    """By what the bank said first."""
    words = {kind.value: str(CLASS_WORDS[kind]) for kind in DeclineClass}
    return _report(
        context,
        "class",
        gettext("Kind of refusal"),
        lambda one: words.get(one.decline_class, gettext("Unknown")),
    )


def brand_report(context: ReportContext) -> ReportBody:
    """By card brand or way of paying."""
    return _report(
        context,
        "brand",
        gettext("Card brand"),
        lambda one: brand_name(one.brand) or gettext("Unknown"),
    )


def country_report(context: ReportContext) -> ReportBody:
    """By the country of the card."""
    return _report(
        context, "country", gettext("Country of the card"), lambda one: one.country or gettext("Unknown")
    )


def split_report(context: ReportContext) -> ReportBody:
    """By the split chosen on the page: plan (that of the day of the failure), industry or segment."""
    facts = recoveries(context)
    if not facts:
        return ReportBody(empty=nothing_failed())
    if context.split is None:
        return ReportBody(empty=gettext("There is nothing to split by yet."))
    label = str(context.split.label)
    if context.split.name == "plan":
        return _report(context, "split", label, lambda one: one.plan or gettext("No plan"))
    found = [
        (group.label, recovery(one for one in facts if one.account_id in group.account_ids))
        for group in context.groups
    ]
    found = sorted((pair for pair in found if pair[1].failed), key=lambda pair: -pair[1].failed)
    if not found:
        return ReportBody(empty=gettext("None of these payments belongs to a group of this split."))
    grouped = {account for group in context.groups for account in group.account_ids}
    return _body(context, "split", label, found, _in_no_group(facts, grouped))


def _in_no_group(facts: Sequence[RecoveryFact], grouped: set[int]) -> list[str]:
    """Groups need not add up to the whole."""
    left_out = sum(one.account_id not in grouped for one in facts)
    if not left_out:
        return []
    words = gettext("%(rate)s failed payments are of accounts in none of these groups.")
    return [words % {"rate": share_of(left_out, len(facts))}]


def _report(context: ReportContext, name: str, label: str, key: Callable[[RecoveryFact], str]) -> ReportBody:
    facts = recoveries(context)
    if not facts:
        return ReportBody(empty=nothing_failed())
    return _body(context, name, label, by_group(facts, key))


def _body(
    context: ReportContext, name: str, label: str, found: Groups, notes: Sequence[str] = ()
) -> ReportBody:
    whole = recovery(recoveries(context))
    return ReportBody(
        charts=[_chart(context, name, label, found)],
        formulas=formulas(whole)[:1],
        notes=notes,
        headers=[
            "group",
            "failed",
            "recovered",
            "open",
            "median_days",
            f"failed_{context.currency}",
            f"recovered_{context.currency}",
        ],
        sheet=[_cells(group, one, context.currency) for group, one in found],
    )


def _cells(group: str, one: Recovery, currency: str) -> list[object]:
    return [
        group,
        one.failed,
        one.recovered,
        one.open,
        "" if one.median_days is None else round(one.median_days, 2),
        sheet_money(one.amount_minor, currency),
        sheet_money(one.recovered_minor, currency),
    ]


def _chart(context: ReportContext, name: str, label: str, found: Groups) -> Chart:
    shown = found[:MOST_BARS]
    series = Series(
        gettext("Recovery rate"),
        [points(one.recovered / one.failed) for _, one in shown],
        [share_of(one.recovered, one.failed) for _, one in shown],
        "--chart-1",
    )
    figure = bar_chart(
        [group for group, _ in shown],
        [series],
        x_title=label,
        y_title=gettext("Recovered (%)"),
        lying=True,
        suffix="%",
    )
    group, most = found[0]
    reading = gettext("Most failed payments: %(group)s, of which %(rate)s came back.") % {
        "group": group,
        "rate": share_of(most.recovered, most.failed),
    }
    rows = [
        [
            group,
            share_of(one.recovered, one.failed),
            money_of(one.recovered_minor, one.amount_minor, context.currency),
            number(one.open),
            DASH if one.median_days is None else number(one.median_days, 1),
        ]
        for group, one in found
    ]
    headers = [
        label,
        gettext("Recovered"),
        gettext("Money recovered"),
        gettext("Still open"),
        gettext("Median days"),
    ]
    title = gettext("Recovery by group: %(split)s") % {"split": label}
    return Chart(f"report-recovery-{name}", title, reading, figure, headers, rows)
