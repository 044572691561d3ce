"""Health at a glance: how the scores lie, what they are built on, what runs behind them."""

from __future__ import annotations

from django.db.models import Avg, Count
from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import WorkspaceRequest, requires
from health.charts import distribution_chart, movement_chart
from health.models import AccountState
from health.queries.home import band_movement, last_done_as_of, last_night, newest_model, standing
from health.queries.in_force import live_version, published_version
from health.queries.sections import health_tabs


@requires("health.view")
def overview(request: WorkspaceRequest) -> HttpResponse:
    customers = AccountState.objects.filter(is_customer=True)
    night, live = last_night(), live_version()
    totals, histogram = standing()
    context = {
        "tabs": health_tabs("overview"),
        "totals": totals,
        "coverage": customers.aggregate(mean=Avg("coverage"), scored=Count("health_score"), all=Count("pk")),
        "distribution_data": {"chart": distribution_chart(histogram)},
        "movement_data": {"chart": movement_chart(band_movement(last_done_as_of(night)))},
        "version": published_version(),
        "model": live or newest_model(),
        "is_live": live is not None,
        "night": night,
    }
    return render(request, "health/overview.html", context)
