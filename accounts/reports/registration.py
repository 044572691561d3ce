"""The reports, numbers and splits that this app brings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.queries.splits import by_industry, by_plan, by_segment
from accounts.registry import (
    AccountSplit,
    HeadlineNumber,
    Report,
    ReportTab,
    account_splits,
    headline_numbers,
    report_tabs,
    reports,
)
from accounts.reports import headline
from accounts.reports.breakdown import breakdown_report
from accounts.reports.bridge import bridge_report
from accounts.reports.churn import churn_report
from accounts.reports.expansion import expansion_report
from accounts.reports.leaving import leaving_report
from accounts.reports.lifetimes import cohort_report, survival_report
from accounts.reports.renewals import renewal_report
from accounts.reports.retention import retention_report
from accounts.reports.revenue import mrr_report


def register() -> None:
    report_tabs.register(ReportTab("revenue", _("Revenue"), 10))
    report_tabs.register(ReportTab("retention", _("Retention"), 20, split_section="breakdown"))
    report_tabs.register(ReportTab("customers", _("Health and use"), 30))
    reports.register(Report("mrr", _("Monthly recurring revenue"), "revenue", mrr_report, 10))
    reports.register(Report("bridge", _("MRR bridge"), "revenue", bridge_report, 20))
    reports.register(Report("expansion", _("Expansion revenue"), "revenue", expansion_report, 30))
    reports.register(Report("renewals", _("Renewal rate"), "revenue", renewal_report, 40))
    reports.register(Report("retention", _("GRR and NRR"), "retention", retention_report, 10))
    reports.register(Report("churn", _("Logo and revenue churn"), "retention", churn_report, 20))
    reports.register(
        Report("breakdown", _("Logo and revenue churn by group"), "retention", breakdown_report, 30)
    )
    reports.register(Report("leaving", _("Why customers left"), "retention", leaving_report, 40))
    reports.register(Report("cohorts", _("Cohorts"), "retention", cohort_report, 50))
    reports.register(Report("survival", _("How long customers stay"), "retention", survival_report, 60))
    for order, (name, load) in enumerate(
        {
            "mrr": headline.mrr_kpi,
            "nrr": headline.nrr_kpi,
            "grr": headline.grr_kpi,
            "logo_churn": headline.logo_churn_kpi,
            "revenue_churn": headline.revenue_churn_kpi,
        }.items(),
        start=1,
    ):
        headline_numbers.register(HeadlineNumber(name, load, 10 * order))
    account_splits.register(AccountSplit("plan", _("Plan"), by_plan, 10))
    account_splits.register(AccountSplit("industry", _("Industry"), by_industry, 20))
    account_splits.register(AccountSplit("segment", _("Segment"), by_segment, 30, overlaps=True))
