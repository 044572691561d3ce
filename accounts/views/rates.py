"""Settings: exchange rates into the report currency, by the day from which they hold."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.rates import RateFileForm, RateForm
from accounts.models import ExchangeRate
from accounts.queries.currency import currency_needs
from accounts.services.rates import remove_rate, set_rates
from cs_platform.lib.csv_text import csv_text


@requires("settings.manage")
def rates(request: WorkspaceRequest) -> HttpResponse:
    """All rates, what lacks one, and the form for one more."""
    currency = request.membership.workspace.report_currency
    form = RateForm(request.POST or None, report_currency=currency)
    if request.method == "POST" and form.is_valid():
        set_rates(rows=[form.row], acting_user=request.user)
        messages.success(
            request, gettext("Saved. Reports use it at once, states from the next nightly run on.")
        )
        return redirect("accounts:rates")
    return _page(request, form=form)


@require_POST
@requires("settings.manage")
def rate_uploads(request: WorkspaceRequest) -> HttpResponse:
    """A file of rates: all of it or nothing."""
    form = RateFileForm(
        request.POST, request.FILES, report_currency=request.membership.workspace.report_currency
    )
    if not form.is_valid():
        return _page(request, file_form=form)
    counts = set_rates(rows=form.rows, acting_user=request.user)
    text = ngettext(
        "%(added)d rate added, %(changed)d changed, %(same)d as before.",
        "%(added)d rates added, %(changed)d changed, %(same)d as before.",
        counts.added,
    )
    messages.success(request, text % {"added": counts.added, "changed": counts.changed, "same": counts.same})
    return redirect("accounts:rates")


@require_POST
@requires("settings.manage")
def rate_deletions(request: WorkspaceRequest) -> HttpResponse:
    """Take one rate away."""
    try:
        day = date.fromisoformat(request.POST.get("on_date", ""))
    except ValueError:
        raise Http404 from None
    rate = get_object_or_404(ExchangeRate, currency=request.POST.get("currency", ""), on_date=day)
    remove_rate(rate=rate, acting_user=request.user)
    messages.success(request, gettext("The rate is gone; the one before it holds again."))
    return redirect("accounts:rates")


@requires("settings.manage")
def rates_export(request: WorkspaceRequest) -> HttpResponse:
    """All rates in the columns that an upload takes."""
    rows = ExchangeRate.objects.order_by("currency", "on_date").values_list("currency", "on_date", "rate")
    text = csv_text(
        ["currency", "on_date", "rate"],
        [(c, day.isoformat(), format(rate.normalize(), "f")) for c, day, rate in rows],
    )
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="exchange-rates.csv"'
    return response


def _page(
    request: WorkspaceRequest, *, form: RateForm | None = None, file_form: RateFileForm | None = None
) -> HttpResponse:
    workspace = request.membership.workspace
    needs = currency_needs(workspace)
    found = ExchangeRate.objects.order_by("-on_date", "currency")
    context: dict[str, Any] = {
        "form": form or RateForm(report_currency=workspace.report_currency),
        "file_form": file_form or RateFileForm(report_currency=workspace.report_currency),
        "page": Paginator(found, 50).get_page(request.GET.get("page")),
        "needs": needs,
        "missing": [need for need in needs if need.is_missing],
        "currency": workspace.report_currency,
    }
    bad = bool((form and form.errors) or (file_form and file_form.errors))
    return render(request, "settings/rates.html", context, status=422 if bad else 200)
