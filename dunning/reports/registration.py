"""The reports and numbers that this app brings, on a tab of their own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import HeadlineNumber, Report, ReportTab, headline_numbers, report_tabs, reports
from dunning.reports.amounts import amounts_report
from dunning.reports.failures import failure_report
from dunning.reports.funnel import funnel_report
from dunning.reports.groups import brand_report, class_report, country_report, split_report
from dunning.reports.notices import notice_report
from dunning.reports.recovered import recovered_report, recovery_kpi

TAB = "recovery"


def register() -> None:
    report_tabs.register(ReportTab(TAB, _("Recovery"), 40, split_section="recovery_split"))
    reports.register(Report("recovered", _("Failed and recovered payments"), TAB, recovered_report, 10))
    reports.register(
        Report("recovery_amounts", _("Money that failed and came back"), TAB, amounts_report, 20)
    )
    reports.register(Report("failure_rate", _("Failure rate of first attempts"), TAB, failure_report, 30))
    reports.register(Report("recovery_funnel", _("Recovery, step by step"), TAB, funnel_report, 40))
    reports.register(Report("notice_effect", _("What the middle notices bring"), TAB, notice_report, 50))
    reports.register(Report("recovery_split", _("Recovery by group"), TAB, split_report, 60))
    reports.register(Report("recovery_class", _("Recovery by kind of refusal"), TAB, class_report, 70))
    reports.register(Report("recovery_brand", _("Recovery by card brand"), TAB, brand_report, 80))
    reports.register(
        Report("recovery_country", _("Recovery by country of the card"), TAB, country_report, 90)
    )
    headline_numbers.register(HeadlineNumber("recovery", recovery_kpi, 70))
