"""The report page: its sections, their CSV, and the address under which a team shares one view of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import WorkspaceRequest, requires
from accounts.charts.report import ReportBody
from accounts.models import SavedView
from accounts.queries.report_context import ReportContext
from accounts.queries.report_filter import PERIODS, ReportFilter
from accounts.queries.saved_views import saved_views
from accounts.registry import Report, ReportTab, account_splits, headline_numbers, report_tabs
from accounts.registry import reports as known_reports
from accounts.reports.headline import lede
from cs_platform.lib.csv_text import csv_text

PAGE = "reports"


@dataclass(frozen=True)
class Section:
    """One report of the page as the template shows it."""

    report: Report
    body: ReportBody


@requires("reports.view")
def reports(request: WorkspaceRequest) -> HttpResponse:
    """The strip of numbers, and the sections of one tab."""
    context = _context(request)
    wanted = context.wanted
    tabs = _ordered(report_tabs)
    tab = next((one for one in tabs if one.name == wanted.tab), tabs[0])
    page = {
        "context": context,
        "wanted": wanted,
        "kpis": [kpi for number in _ordered(headline_numbers) if (kpi := number.load(context)) is not None],
        "sections": [Section(r, r.load(context)) for r in _ordered(known_reports) if r.tab == tab.name],
        "lede": lede(context),
        "tabs": _tab_links(request, tabs, tab),
        "tab": tab,
        "periods": [
            {"months": months, "active": months == wanted.months and not wanted.is_custom}
            for months in PERIODS
        ],
        "splits": [
            {"name": split.name, "label": split.label, "active": split is context.split}
            for split in _ordered(account_splits)
        ],
        "saved_views": saved_views(PAGE, request.user, request.GET),
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "here": request.get_full_path(),
        "now": context.now,
    }
    return render(request, "reports/page.html", page, status=422 if wanted.errors else 200)


@requires("reports.view")
def report_export(request: WorkspaceRequest) -> HttpResponse:
    """One section as it is filtered, as CSV."""
    name = request.GET.get("report", "")
    if name not in known_reports:
        raise Http404
    context = _context(request)
    body: ReportBody = known_reports.get(name).load(context)
    response = HttpResponse(csv_text(body.headers, body.sheet), content_type="text/csv; charset=utf-8")
    day: date = timezone.localdate(context.now)
    response["Content-Disposition"] = f'attachment; filename="{name}-{day:%Y-%m-%d}.csv"'
    return response


@requires("reports.view")
def shared_report(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """A saved view by its address: one's own, or one that was shared with the workspace."""
    view = get_object_or_404(
        SavedView, Q(user=request.user) | Q(is_shared=True), public_id=public_id, page=PAGE
    )
    return redirect(
        f"{reverse('accounts:reports')}?{view.query}" if view.query else reverse("accounts:reports")
    )


def _context(request: WorkspaceRequest) -> ReportContext:
    now, workspace = timezone.now(), request.membership.workspace
    return ReportContext(workspace, ReportFilter.from_query(request.GET, now=now, zone=workspace.zone), now)


def _ordered(registry: Any) -> list[Any]:
    return sorted(registry, key=lambda item: item.order)


def _tab_links(request: WorkspaceRequest, tabs: list[ReportTab], active: ReportTab) -> list[dict[str, Any]]:
    links = []
    for tab in tabs:
        query = request.GET.copy()
        query["tab"] = tab.name
        links.append({"label": tab.label, "url": f"?{query.urlencode()}", "active": tab is active})
    return links
