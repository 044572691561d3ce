"""The reports and numbers that this app brings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.registry import HeadlineNumber, Report, headline_numbers, reports
from health.reports.adoption import adoption_report
from health.reports.risk import (
    at_risk_kpi,
    at_risk_report,
    bands_report,
    causes_report,
    distribution_report,
)


def register() -> None:
    reports.register(Report("at_risk", _("ARR at risk"), "customers", at_risk_report, 10))
    reports.register(Report("causes", _("Open risks by cause"), "customers", causes_report, 20))
    reports.register(Report("distribution", _("Health scores"), "customers", distribution_report, 30))
    reports.register(Report("bands", _("Health bands"), "customers", bands_report, 40))
    reports.register(Report("adoption", _("Adoption of key features"), "customers", adoption_report, 50))
    headline_numbers.register(HeadlineNumber("at_risk", at_risk_kpi, 60))
