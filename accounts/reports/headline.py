"""The strip of numbers above all reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext

from accounts.charts.report import Formula, Kpi
from accounts.queries.report_context import ReportContext
from accounts.reports.churn import churn_formulas
from accounts.reports.retention import retention_formulas
from accounts.reports.words import month_name, share_of, span
from accounts.revenue.retention import Retention
from cs_platform.lib.formats import money, money_short, number, percent


def mrr_kpi(context: ReportContext) -> Kpi | None:
    """MRR now, ARR beside it; the change is against the start of the period."""
    if context.ledger.is_empty:
        return None
    last, first = context.bridges[-1], context.bridges[0]
    note = gettext("%(arr)s ARR, %(n)s customers") % {
        "arr": money_short(12 * last.closing, context.currency),
        "n": number(last.customers_closing),
    }
    formula = Formula(
        gettext("MRR"),
        gettext("sum over all running subscriptions; the change is against the start of the period"),
        f"{money(first.opening, context.currency)} → {money(last.closing, context.currency)}",
        gettext("convention"),
    )
    change = 100 * (last.closing / first.opening - 1) if first.opening else None
    return Kpi(
        gettext("MRR"),
        money_short(last.closing, context.currency),
        note,
        formula,
        change,
        "%",
        "up",
        "revenue",
        "mrr",
    )


def nrr_kpi(context: ReportContext) -> Kpi | None:
    """NRR over the full months of the period."""
    return _rate(
        context,
        "NRR",
        lambda one: one.nrr,
        lambda one: retention_formulas(one, context.currency)[0],
        _money_note,
        "up",
    )


def grr_kpi(context: ReportContext) -> Kpi | None:
    """GRR over the full months of the period."""
    return _rate(
        context,
        "GRR",
        lambda one: one.grr,
        lambda one: retention_formulas(one, context.currency)[1],
        _money_note,
        "up",
    )


def logo_churn_kpi(context: ReportContext) -> Kpi | None:
    """Logo churn over the full months of the period."""

    def note(one: Retention, _currency: str) -> str:
        return gettext("%(lost)s of %(all)s customers") % {
            "lost": number(one.lost),
            "all": number(one.customers),
        }

    return _rate(
        context,
        gettext("Logo churn"),
        lambda one: one.logo_churn,
        lambda one: churn_formulas(one, context.currency)[0],
        note,
        "down",
        "churn",
    )


def revenue_churn_kpi(context: ReportContext) -> Kpi | None:
    """Revenue churn over the full months of the period."""

    def note(one: Retention, currency: str) -> str:
        return gettext("%(part)s of %(whole)s MRR") % {
            "part": money_short(one.churn, currency),
            "whole": money_short(one.start, currency),
        }

    return _rate(
        context,
        gettext("Revenue churn"),
        lambda one: one.revenue_churn,
        lambda one: churn_formulas(one, context.currency)[1],
        note,
        "down",
        "churn",
    )


def _money_note(one: Retention, currency: str) -> str:
    return gettext("of %(start)s, %(n)s customers") % {
        "start": money_short(one.start, currency),
        "n": number(one.customers),
    }


def _rate(
    context: ReportContext,
    label: str,
    read: Callable[[Retention], float | None],
    formula: Callable[[Retention], Formula],
    note: Callable[[Retention, str], str],
    good: str,
    report: str = "retention",
) -> Kpi | None:
    """A rate of the whole period; with `compare`, in points against as many months before."""
    if not context.period.full_months:
        return None
    share = read(context.whole)
    if share is None:
        return None
    change: float | None = None
    if context.wanted.compare and (before := read(context.earlier)) is not None:
        change = 100 * (share - before)
    return Kpi(
        label,
        percent(share, 1),
        note(context.whole, context.currency),
        formula(context.whole),
        change,
        " pp",
        good,
        "retention",
        report,
    )


def lede(context: ReportContext) -> dict[str, Any]:
    """The one sentence under the title."""
    if context.ledger.is_empty or not context.period.full_months:
        return {}
    one = context.whole
    return {
        "span": span(context.period),
        "lost": share_of(one.lost, one.customers),
        "mrr": money(context.bridges[-1].closing, context.currency),
        "running": month_name(context.period.running) if context.period.has_running else "",
    }
